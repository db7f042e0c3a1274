"""The mean and the standard deviation of each latent dimension: where in the latent space the pictures are taken."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    """A Gaussian N(mean, std²) for each latent dimension."""

    mean: Floats
    """(latent_dim,)."""
    std: Floats
    """(latent_dim,)."""
    is_prior: bool = False
    """Whether the product of these Gaussians is the prior."""

    @classmethod
    def of_standard_prior(cls, latent_dim: int) -> Self:
        """Return zeros and ones, the moments of the prior N(0, I)."""
        return cls(np.zeros(latent_dim), np.ones(latent_dim), is_prior=True)

    @classmethod
    def of_aggregate_posterior(cls, z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32]) -> Self:
        """Return the moments of q(z) = 1/n sum_i q(z|x_i), which a learned prior fits.

        The variance of a mixture is the variance of its means plus the mean of its variances.

        Args:
            z_mean: (n, latent_dim), of q(z|x) for n images.
            z_log_var: the same shape.
        """
        z_mean, z_log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
        return cls(z_mean.mean(axis=0), np.sqrt(z_mean.var(axis=0) + np.exp(z_log_var).mean(axis=0)))

    def to_latents(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return latent vectors (…, latent_dim) that are so many standard deviations from the mean."""
        return (self.mean + self.std * units).astype(np.float32)

    def standardize(self, z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return z_mean and z_log_var of q(z|x), (n, latent_dim) each, with z in standard deviations from the mean.

        The KL is the same in any unit: the KL of the result to N(0, 1) equals the KL of q(z_k|x) to N(mean_k, std_k²).
        """
        return (z_mean - self.mean) / self.std, z_log_var - 2 * np.log(self.std)
