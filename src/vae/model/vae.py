"""The variational autoencoder: encoder, sampling, decoder and loss."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from vae.errors import InputError
from vae.model.architectures import ARCHITECTURES
from vae.model.conditional import ConditionalArchitecture, with_labels
from vae.model.inputs import FITS, check_if_array, check_image_fit, check_image_shape, check_inputs, choose
from vae.model.likelihoods import LIKELIHOODS
from vae.model.objectives import OBJECTIVES
from vae.model.objectives.draws import Draws, Options
from vae.model.priors import PRIORS
from vae.model.public_methods import PublicMethods
from vae.model.replicas import ReplicatedSteps
from vae.model.sampling import Sampling, repeated
from vae.settings.combinations import check_together

CHECKED = 1000
"""The number of training images that are looked at before a training, for example whether the likelihood fits them."""
LATER: Mapping[str, Any] = {**Options._field_defaults, "conditional": False, "image_fit": FITS[0]}
"""Arguments that the configuration omits if they have these defaults, so that files of other models do not change."""


class VAEOutput(NamedTuple):
    """The result of one pass through the model for a batch of images."""

    z_mean: KerasTensor
    """(batch, latent_dim): the mean of q(z|x)."""
    z_log_var: KerasTensor
    """(batch, latent_dim): the logarithm of the variance of q(z|x)."""
    z: KerasTensor
    """(samples * batch, latent_dim): draws from q(z|x), one for each image unless an objective needs more."""
    parameters: KerasTensor
    """(samples * batch, height, width, outputs): the parameters of p(x|z) at each draw."""


@keras.saving.register_keras_serializable("vae")
class VAE(PublicMethods, ReplicatedSteps, keras.Model):
    """A variational autoencoder. Train it by `compile(optimizer)` and `fit(images)`: the loss is built in.

    Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), https://arxiv.org/abs/1312.6114.

    Args:
        image_shape: (height, width, channels) of the images.
        latent_dim: K, the number of latent dimensions.
        architecture: a key of `ARCHITECTURES`.
        likelihood: a key of `LIKELIHOODS`.
        prior: a key of `PRIORS`.
        conditional: whether the encoder and the decoder see the labels, which are indices into `class_names`. Where
            others take images, such a model takes a pair of images and their labels: `fit((images, labels))`.
        objective: a key of `OBJECTIVES`. This argument and the next four decide what `fit` minimizes.
        samples: the number of draws of z for each image in training.
        beta: the weight of the KL.
        beta_warmup: the number of steps in which that weight rises from zero.
        free_bits: the nats of each latent dimension that are not penalized.
        dropout: the rate of the encoder's dropout layer, which is active in training only.
        epsilon_std: the standard deviation of the noise in `Sampling`.
        precision: the Keras dtype policy of the encoder's and the decoder's layers, `float32` or `mixed_bfloat16`.
            Weights, latent heads, prior, noise and loss are float32 with either, and so is the optimizer's state.
        seed: the seed of the noise and of the dropout; None draws one at random. The initial weights follow
            `keras.utils.set_random_seed`, as in any Keras model.
        class_names: the names of the training images' classes, saved with the model; empty without labels.
        image_fit: how images of another shape were fitted into `image_shape`, for those that the model gets later.
        name: the name of the Keras model.

    Raises:
        InputError: a name is unknown, the architecture has no layers for images of that shape, a conditional model has
            no classes, or values do not fit together.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int = 10,
        *,
        architecture: str = "tutorial",
        likelihood: str = "bernoulli",
        prior: str = "standard",
        conditional: bool = False,
        objective: str = "elbo",
        dropout: float = 0.0,
        samples: int = 1,
        beta: float = 1.0,
        beta_warmup: int = 0,
        free_bits: float = 0.0,
        epsilon_std: float = 1.0,
        precision: str = "float32",
        seed: int | None = None,
        class_names: Sequence[str] = (),
        image_fit: str = FITS[0],
        name: str = "vae",
    ) -> None:
        super().__init__(name=name)
        self.image_shape, self.latent_dim = check_image_shape(image_shape), latent_dim
        self.class_names, self.conditional = tuple(class_names), conditional
        self.image_fit = check_image_fit(image_fit)
        seed = secrets.randbits(32) if seed is None else seed
        options = Options(samples, beta, beta_warmup, free_bits)
        self._config: dict[str, Any] = {
            "image_shape": list(self.image_shape),
            "latent_dim": latent_dim,
            "architecture": architecture,
            "likelihood": likelihood,
            "prior": prior,
            "objective": objective,
            "dropout": dropout,
            "epsilon_std": epsilon_std,
            "precision": precision,
            "seed": seed,
            "class_names": list(class_names),
            "name": name,
            **options._asdict(),
            "conditional": conditional,
            "image_fit": image_fit,
        }
        self.likelihood = choose(LIKELIHOODS, likelihood, "likelihood")()
        self.outputs = self.likelihood.outputs(self.image_shape[-1])  # of the decoder for each pixel
        build_prior = choose(PRIORS, prior, "prior")
        build_objective = choose(OBJECTIVES, objective, "objective")
        layers = choose(ARCHITECTURES, architecture, "architecture")
        check_together(**self._config)
        if conditional:
            layers = ConditionalArchitecture(layers, len(class_names))
        # Two seeds from one: with the same seed, masks and noise would be the same draws of one generator.
        dropout_seed, noise_seed = map(int, np.random.SeedSequence(seed).generate_state(2))
        self.encoder = layers.build_encoder(
            self.image_shape, latent_dim, dropout=dropout, seed=dropout_seed, precision=precision
        )
        self.sampling = Sampling(epsilon_std, noise_seed, name="sampling")
        self.decoder = layers.build_decoder(self.image_shape, latent_dim, outputs=self.outputs, precision=precision)
        self.prior = build_prior(latent_dim, self.encoder)
        self.objective = build_objective(options)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        labels = keras.Input((), dtype="int32") if conditional else None
        # Build the model, so that weights can be loaded, and that the summary shows shapes.
        self(with_labels(keras.Input(self.image_shape), labels))

    def call(self, inputs: Any, training: bool = False) -> VAEOutput:
        """Pass images (batch, height, width, channels) in [0, 1] through the model.

        The inputs of a conditional model are a pair of the images and their labels (batch,).
        There is one draw of z for each image, or in training as many as the objective needs.
        """
        _, labels = self._split(inputs)
        z_mean, z_log_var = self.encoder(inputs, training=training)
        if not training:
            z = self.sampling(z_mean, z_log_var)
        else:
            z = self.sampling(*self._repeated(z_mean, z_log_var), samples=self.objective.samples)
            z = self.objective.draw(z)
            labels = None if labels is None else self._repeated(labels)[0]
        return VAEOutput(z_mean, z_log_var, z, self.decoder(with_labels(z, labels)))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> KerasTensor:
        """Return the loss of the batch `x` in nats, averaged over its images.

        Keras's own training and test steps call this, with `y_pred` = call(x). They compute the gradients and update
        the metrics. Targets `y` and weights are not used. In training, the loss is the objective's; otherwise it is the
        negative ELBO.
        """
        samples, (images, _) = self.objective.samples if training else 1, self._split(x)
        tensors = (images, *y_pred[:2])
        images, z_mean, z_log_var = self._repeated(*tensors) if training else tensors
        reconstruction = self.likelihood.nll(images, y_pred.parameters)
        kl = self.prior.kl(z_mean, z_log_var, y_pred.z)
        draws = Draws(reconstruction, z_mean, z_log_var, y_pred.z, kl, self.prior, samples)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return ops.mean(self.objective.loss(draws, self._step()) if training else reconstruction + kl)

    def _step(self) -> KerasTensor | int:
        """Return the number of training steps so far."""
        return self.optimizer.iterations if self.compiled else 0

    def _split(self, inputs: Any) -> tuple[KerasTensor, KerasTensor | None]:
        """Return the images and, of a conditional model, the labels."""
        images, labels = inputs if self.conditional else (inputs, None)
        return images, labels

    def _repeated(self, *tensors: KerasTensor) -> tuple[KerasTensor, ...]:
        """Return each tensor (batch, …) as often as the objective needs draws, (samples * batch, …)."""
        return tuple(repeated(tensor, self.objective.samples) for tensor in tensors)

    def fit(self, x: Any = None, *arguments: Any, validation_data: Any = None, **options: Any) -> Any:
        """Train as `keras.Model.fit` does, after a check of images that are an array, and of their labels.

        A new VampPrior starts from the images if they are an array. Call `prior.initialize(images, seed)`
        before training with a data set, and before training a loaded or copied model that was never trained.

        Raises:
            InputError: as in `encode`, the likelihood does not fit such values, or a new VampPrior gets no array.
        """
        binary = self.likelihood.binarizes
        x = check_inputs(x, self.image_shape, self._classes, binary)
        images = x[0] if self.conditional and isinstance(x, tuple) else x
        if isinstance(images, np.ndarray) and (reason := self.likelihood.unfit(images[:CHECKED])):
            raise InputError(reason)
        if self.prior.needs_images:
            if not isinstance(images, np.ndarray):
                raise InputError(
                    "the prior is vampprior, which starts from training images, but fit was given no array of images: "
                    "call model.prior.initialize(images, seed) with an array before."
                )
            self.prior.initialize(images, self._config["seed"])
        if self.conditional:
            if isinstance(validation_data, tuple) and validation_data and isinstance(validation_data[0], tuple):
                validation_data = validation_data[0]  # Keras's inputs and targets
            validation_data = check_inputs(validation_data, self.image_shape, self._classes, binary)
            if isinstance(validation_data, tuple) and len(validation_data) == 2:
                validation_data = (validation_data,)  # a pair by itself would be inputs and targets
        elif isinstance(validation_data, tuple):  # Keras's inputs and targets
            validation_images, *others = validation_data
            validation_data = (check_if_array(validation_images, self.image_shape, binary), *others)
        else:
            validation_data = check_if_array(validation_data, self.image_shape, binary)
        return super().fit(x, *arguments, validation_data=validation_data, **options)

    def evaluate(self, x: Any = None, *arguments: Any, **options: Any) -> Any:
        """Evaluate as `keras.Model.evaluate` does, after a check of images that are an array, and of their labels.

        Raises:
            InputError: as in `encode`.
        """
        x = check_inputs(x, self.image_shape, self._classes, self.likelihood.binarizes)
        return super().evaluate(x, *arguments, **options)

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in self._config.items() if (name, value) not in LATER.items()}

    def in_float32(self) -> "VAE":
        """Return a model with the same weights that computes in float32: this one if it does, or a copy."""
        if self._config["precision"] == "float32":
            return self
        copy: VAE = VAE.from_config(self._config | {"precision": "float32"})
        copy.set_weights(self.get_weights())
        return copy
