"""The latent variable: its mean and log-variance, the bound on the latter, and the reparameterization trick."""

from typing import Any

import keras
from keras import KerasTensor, layers, ops

from vae.model.replicas import Dropout, drawn_together

MAX_ABS_LOG_VAR = 30.0


@keras.saving.register_keras_serializable("vae")  # type: ignore[untyped-decorator]
def bounded(z_log_var: KerasTensor) -> KerasTensor:
    """Clip the log-variances (batch, latent_dim) to ±30, with the gradient of the identity.

    In float32, exp overflows at 88.7, and the loss then stays infinite. The bound does not restrict training. At -30,
    sigma is 3e-7, about two units in the last place of a mean between 1 and 2. At 30, sigma is 3e6, and the KL is 5e12
    nats.

    The bound does not bias the objective. Sampling and KL use the same bounded value, so the loss is the negative ELBO
    of a q(z|x) whose variances lie within the bound, and the ELBO holds for any q. Within the bound, loss and gradient
    are unchanged. Beyond it the true gradient is zero: a unit that one large step moves there would stay there. The
    gradient of the identity, here the gradient of the KL, moves it back.
    """
    return _clip(z_log_var)


@ops.custom_gradient  # type: ignore[untyped-decorator]
def _clip(z_log_var: KerasTensor) -> Any:
    return ops.clip(z_log_var, -MAX_ABS_LOG_VAR, MAX_ABS_LOG_VAR), lambda upstream: upstream


def latent_heads(
    h: KerasTensor, latent_dim: int, *, dropout: float, seed: int, precision: str
) -> tuple[KerasTensor, KerasTensor]:
    """Return z_mean and z_log_var, (batch, latent_dim) each, of features (batch, features): the end of every encoder.

    Dropout precedes both. They are float32 at any precision.
    """
    h = Dropout(dropout, seed=seed, dtype=precision, name="dropout")(h)
    z_mean = layers.Dense(latent_dim, dtype="float32", name="z_mean")(h)
    z_log_var = layers.Dense(latent_dim, activation=bounded, dtype="float32", name="z_log_var")(h)
    return z_mean, z_log_var


def repeated(values: KerasTensor, times: int) -> KerasTensor:
    """Return a tensor (batch, …) so many times, (times * batch, …): all rows, then all rows again."""
    return values if times == 1 else ops.concatenate([values] * times)


@keras.saving.register_keras_serializable("vae")
class Sampling(layers.Layer):
    """The reparameterization trick: z = z_mean + exp(z_log_var / 2) * epsilon, epsilon ~ N(0, epsilon_std² I).

    Kingma & Welling (2014), section 2.4, use epsilon_std = 1. The tutorial's 1e-4 makes the model a deterministic
    autoencoder with a penalty, whose loss is not a bound on the likelihood.
    """

    def __init__(self, epsilon_std: float = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon_std = epsilon_std
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, z_mean: KerasTensor, z_log_var: KerasTensor, samples: int = 1) -> KerasTensor:
        """Draw z, (samples * batch, latent_dim), from the mean and the log-variance of the same shape.

        With more than one sample for each image, both arguments contain the images once for each sample.
        """

        def normal(shape: Any) -> KerasTensor:
            return keras.random.normal(shape, stddev=self.epsilon_std, dtype=z_mean.dtype, seed=self.seed_generator)

        epsilon = drawn_together(normal, ops.shape(z_mean), samples)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon_std": self.epsilon_std, "seed": self.seed}
