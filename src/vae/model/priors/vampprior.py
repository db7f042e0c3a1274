"""The VampPrior: the mixture of the posteriors of trained pseudo-inputs."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from vae.model.priors.learned import LearnedPrior, log_mixture

COMPONENTS, MAX_PIXELS = 500, 2**20
"""The number of pseudo-inputs, and the most pixels that they have together: each step encodes them all at once."""
NOISE = 0.01
"""The standard deviation of the noise by which the first pseudo-inputs differ from training images."""


class VampPrior(LearnedPrior):
    """The variational mixture of posteriors, p(z) = 1/C sum_c q(z|u_c), with pseudo-inputs u_c that are trained.

    Tomczak & Welling, "VAE with a VampPrior" (2018), https://arxiv.org/abs/1705.07120. The authors' code keeps
    pseudo-inputs in [0, 1] by a hard tanh, beyond which the gradient is zero: a black or white pixel could stay one for
    good. Here each step of the optimizer ends with the projection to [0, 1], from which the next one can leave.

    The encoder is shared with the model, which owns its weights. Dropout does not act on the pseudo-inputs: p(z) is the
    same in training and evaluation. Each call of `log_prob` passes all pseudo-inputs through the encoder.

    Args:
        latent_dim: the number of latent dimensions.
        encoder: a model from images to z_mean and z_log_var.
        components: C, the number of pseudo-inputs. None means `COMPONENTS`, or fewer where these have more than
            `MAX_PIXELS`: 256 of 64x64 pixels, 16 of 256x256.
    """

    def __init__(self, latent_dim: int, encoder: keras.Model, components: int | None = None) -> None:
        super().__init__(latent_dim)
        self.image_shape = height, width, channels = encoder.input_shape[1:]
        self.components = components or min(COMPONENTS, MAX_PIXELS // (height * width))
        # In a function, since Keras would count and save the weights of an encoder in an attribute as this layer's.
        self._encode: Callable[[KerasTensor], Any] = lambda images: encoder(images, training=False)
        # Muon leaves a weight with three dimensions to Adam. It would orthogonalize one with two or four.
        self.pseudo_inputs = self.add_weight(
            (self.components, height * width, channels),
            keras.initializers.RandomUniform(0.0, 1.0),
            constraint=lambda values: ops.clip(values, 0.0, 1.0),
            name="pseudo_inputs",
        )
        self._noise = self._digest()

    @property
    def needs_images(self) -> bool:
        """Whether the pseudo-inputs are still the noise that this object started with. For a copy, this is False."""
        return self._digest() == self._noise

    def _digest(self) -> int:
        return hash(ops.convert_to_numpy(self.pseudo_inputs).tobytes())

    def posteriors(self) -> tuple[KerasTensor, KerasTensor]:
        """Return z_mean and z_log_var of the posteriors of the pseudo-inputs, (components, latent_dim) each."""
        z_mean, z_log_var = self._encode(ops.reshape(self.pseudo_inputs, (self.components, *self.image_shape)))
        return z_mean, z_log_var

    def initialize(self, images: Any, seed: int) -> None:
        """Start from training images, with a little noise, by which pseudo-inputs from equal images differ.

        Args:
            images: (n, height, width, channels), in [0, 1]: an array, or images that are read when they are indexed.
            seed: the seed of the choice, of different images if there are enough, and of the noise.
        """
        rng, shape = np.random.default_rng(seed), self.pseudo_inputs.shape
        chosen = rng.choice(len(images), shape[0], replace=len(images) < shape[0])
        noise = rng.normal(scale=NOISE, size=shape)
        self.pseudo_inputs.assign(np.clip(np.reshape(images[np.sort(chosen)], shape) + noise, 0, 1))

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        return self.density()(z)

    def density(self) -> Callable[[KerasTensor], KerasTensor]:
        """Return log p(z) as a function of z, with the posteriors of the pseudo-inputs computed once."""
        means, log_vars = self.posteriors()
        return lambda z: log_mixture(z, -math.log(self.components), means, log_vars)

    def sample(self, count: int, seed: int | None) -> KerasTensor:
        component_seed, noise_seed = map(int, np.random.SeedSequence(seed).generate_state(2))
        means, log_vars = self.posteriors()
        chosen = keras.random.randint((count,), 0, self.components, seed=component_seed)
        noise = keras.random.normal((count, self.latent_dim), seed=noise_seed)
        return ops.take(means, chosen, axis=0) + ops.exp(0.5 * ops.take(log_vars, chosen, axis=0)) * noise
