"""The standard normal prior."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops


class StandardNormal:
    """The prior N(0, I).

    Args:
        latent_dim: the number of latent dimensions.
        encoder: not used.
    """

    has_exact_kl = True
    needs_images = False

    def __init__(self, latent_dim: int, encoder: keras.Model | None = None) -> None:
        self.latent_dim = latent_dim

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        """Return log N(z; 0, I), (batch,), in nats, of latent vectors (batch, latent_dim)."""
        return -0.5 * ops.sum(ops.square(z) + math.log(2 * math.pi), axis=-1)

    def density(self) -> Callable[[KerasTensor], KerasTensor]:
        """Return `log_prob`."""
        return self.log_prob

    def sample(self, count: int, seed: int | None) -> KerasTensor:
        """Draw latent vectors, (count, latent_dim)."""
        return keras.random.normal((count, self.latent_dim), seed=seed)

    def initialize(self, images: Any, seed: int) -> None:
        """Do nothing: there is nothing to train."""

    def kl(self, z_mean: KerasTensor, z_log_var: KerasTensor, z: KerasTensor | None = None) -> KerasTensor:
        """Return KL(N(z_mean, diag exp(z_log_var)) || N(0, I)) in closed form: Kingma & Welling (2014), appendix B.

        Args:
            z_mean: (batch, latent_dim).
            z_log_var: (batch, latent_dim), the logarithm of the variance.
            z: not used.

        Returns:
            (batch,): nats per image, summed over the latent dimensions.
        """
        return 0.5 * ops.sum(_twice_kl(z_mean, z_log_var), axis=-1)

    def kl_per_dimension(self, z_mean: KerasTensor, z_log_var: KerasTensor) -> KerasTensor:
        """Return the same of each latent dimension, (batch, latent_dim), in nats."""
        return 0.5 * _twice_kl(z_mean, z_log_var)


def _twice_kl(z_mean: KerasTensor, z_log_var: KerasTensor) -> KerasTensor:
    return ops.square(z_mean) + ops.exp(z_log_var) - 1.0 - z_log_var
