"""The convolutional VAE of the post, layer by layer, as a `keras.Model`."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from vae.nn.layers import AffineMap, PackedConv2DTranspose, Sampling, UpsampledConv2DTranspose, bounded
from vae.nn.objective import kl_nats, reconstruction_nats
from vae.splits import IMAGE_SHAPE


class VAEOutput(NamedTuple):
    """What one pass through the model yields for a batch of images."""

    z_mean: KerasTensor
    """(batch, latent_dim): mean of q(z|x)."""
    z_log_var: KerasTensor
    """(batch, latent_dim): logarithm of the variance of q(z|x)."""
    logits: KerasTensor
    """(batch, 28, 28, 1): of the Bernoulli means of p(x|z), at one sample z of q(z|x)."""


def build_encoder(latent_dim: int, dropout: float, seed: int, precision: str) -> keras.Model:
    """Images (batch, 28, 28, 1) to the pair z_mean, z_log_var, each (batch, latent_dim), float32 at any precision."""
    images = keras.Input(IMAGE_SHAPE, name="images")
    # With the last two rows and columns conv_2 would yield 11x11, and pool_2 drop the last row and column of that.
    h = layers.Cropping2D(((0, 2), (0, 2)), dtype=precision, name="crop")(images)
    # ReLU after the pooling, on a quarter of the values: the maximum of ReLUs is the ReLU of the maximum.
    h = layers.Conv2D(32, 3, dtype=precision, name="conv_1")(h)
    h = layers.MaxPooling2D(2, dtype=precision, name="pool_1")(h)
    h = layers.ReLU(dtype=precision, name="relu_1")(h)
    h = layers.Conv2D(64, 3, dtype=precision, name="conv_2")(h)
    h = layers.MaxPooling2D(2, dtype=precision, name="pool_2")(h)
    h = layers.ReLU(dtype=precision, name="relu_2")(h)
    h = layers.Flatten(dtype=precision, name="flatten")(h)
    h = layers.Dropout(dropout, seed=seed, dtype=precision, name="dropout")(h)
    z_mean = layers.Dense(latent_dim, dtype="float32", name="z_mean")(h)
    z_log_var = layers.Dense(latent_dim, activation=bounded, dtype="float32", name="z_log_var")(h)
    return keras.Model(images, [z_mean, z_log_var], name="encoder")


def build_decoder(latent_dim: int, precision: str) -> keras.Model:
    """Latent vectors (batch, latent_dim) to pixel logits (batch, 28, 28, 1), float32 at any precision.

    The post ends in a sigmoid. Here that is left to `VAE.decode`, since the loss is more exact on logits.
    """
    z = keras.Input((latent_dim,), name="z")
    # Up to its first ReLU the decoder is affine in z.
    first_layers = [
        layers.Dense(5 * 5 * 64, dtype="float32", name="dense"),
        layers.Reshape((5, 5, 64), dtype="float32", name="reshape"),
        UpsampledConv2DTranspose(64, dtype="float32", name="upsampled_deconv_1"),
    ]
    h = AffineMap(keras.Sequential(first_layers, name="first_layers"), dtype=precision, name="affine")(z)
    h = layers.ReLU(dtype=precision, name="relu_3")(h)
    h = UpsampledConv2DTranspose(32, activation="relu", packed_output=True, dtype=precision, name="upsampled_deconv_2")(
        h
    )
    h = PackedConv2DTranspose(1, dtype=precision, name="deconv_3")(h)
    logits = layers.Identity(dtype="float32", name="logits")(h)
    return keras.Model(z, logits, name="decoder")


class FiniteSteps(keras.metrics.Metric):
    """How many steps of an epoch came before the first whose loss is no finite number. It adds nothing to the logs.

    Where several steps are one execution, it alone tells which of them that was.
    """

    def __init__(self) -> None:
        super().__init__(name="finite_steps")
        self.count = self.add_variable((), "zeros", "int32", name="count")

    def update_state(self, mean_loss: KerasTensor) -> None:
        """Takes the mean of the epoch's losses until now, which one that is no number spoils for good."""
        self.count.assign_add(ops.cast(ops.isfinite(mean_loss), "int32"))

    def result(self) -> dict[str, KerasTensor]:
        return {}


class VAE(keras.Model):
    """The model of the post: `compile(optimizer)` and `fit(images)` train it, the loss is its own.

    Args:
        latent_dim: number K of latent dimensions.
        dropout: rate of the encoder's dropout layer, active in training alone.
        epsilon_std: standard deviation of the noise in `Sampling`.
        seed: of that noise and of the dropout; None draws one at random. The initial weights follow
            `keras.utils.set_random_seed`, as in any Keras model.
        precision: the Keras dtype policy of the hidden layers, `float32` or `mixed_bfloat16`. Weights, latent heads,
            noise, loss, and so the optimizer's state, are float32 with either.
    """

    def __init__(
        self,
        latent_dim: int = 10,
        dropout: float = 0.0,
        epsilon_std: float = 1.0,
        seed: int | None = None,
        precision: str = "float32",
    ) -> None:
        super().__init__(name="vae")
        self.latent_dim = latent_dim
        # Two seeds from one: with the same, masks and noise would be the same draws of one generator.
        dropout_seed, noise_seed = map(int, np.random.SeedSequence(seed).generate_state(2))
        self.encoder = build_encoder(latent_dim, dropout, dropout_seed, precision)
        self.sampling = Sampling(epsilon_std, noise_seed, name="sampling")
        self.decoder = build_decoder(latent_dim, precision)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.finite_steps = FiniteSteps()
        self(keras.Input(IMAGE_SHAPE))  # builds it, so that weights can be loaded and the summary has shapes

    def call(self, images: KerasTensor, training: bool = False) -> VAEOutput:
        """One pass, with one sample of z for each image (batch, 28, 28, 1) in [0, 1]."""
        z_mean, z_log_var = self.encoder(images, training=training)
        return VAEOutput(z_mean, z_log_var, self.decoder(self.sampling(z_mean, z_log_var)))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> KerasTensor:
        """The negative ELBO in nats, averaged over the batch `x`. Keras's own steps call this with `y_pred` = call(x).

        Overriding this leaves `training=True`, the gradients and the metrics to Keras. Targets `y` and weights
        have no part in it.
        """
        reconstruction = reconstruction_nats(x, y_pred.logits)
        kl = kl_nats(y_pred.z_mean, y_pred.z_log_var)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return ops.mean(reconstruction + kl)

    def train_step(self, data: Any) -> dict[str, KerasTensor]:
        """Keras's own, counted."""
        means: dict[str, KerasTensor] = super().train_step(data)
        self.finite_steps.update_state(means["loss"])
        return means

    def encode(self, images: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """z_mean and z_log_var, each (batch, latent_dim), of images (batch, 28, 28, 1)."""
        return tuple(self.encoder(images, training=False))

    def decode(self, z: KerasTensor) -> KerasTensor:
        """Pixel means in [0, 1], (batch, 28, 28, 1), of latent vectors (batch, latent_dim)."""
        return ops.sigmoid(self.decoder(z))

    def reconstruct(self, images: KerasTensor) -> KerasTensor:
        """Pixel means, (batch, 28, 28, 1), at the posterior mean of each image."""
        return self.decode(self.encode(images)[0])

    def sample(self, count: int, seed: int | None = None) -> KerasTensor:
        """Pixel means, (count, 28, 28, 1), at draws of z from the prior N(0, I)."""
        return self.decode(keras.random.normal((count, self.latent_dim), seed=seed))
