"""The posteriors q(z|x) of many images, dimension by dimension: which dimensions carry information."""

import numpy as np
from numpy.typing import NDArray

ACTIVE_VARIANCE = 0.01
"""Above this variance of its means a dimension counts as active: Burda et al. (2016), section 5.2."""


def kl_per_dimension(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32]) -> NDArray[np.float64]:
    """KL(N(z_mean, exp(z_log_var)) || N(0, 1)) of each image and dimension, (n, latent_dim), in nats.

    Kingma & Welling (2014), appendix B, before the sum over the dimensions. Both arguments: (n, latent_dim).
    """
    mean, log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
    kl: NDArray[np.float64] = 0.5 * (mean**2 + np.exp(log_var) - 1.0 - log_var)
    return kl


def variance_of_means(z_mean: NDArray[np.float32]) -> NDArray[np.float64]:
    """(latent_dim,): the variance over the images of the means (n, latent_dim) of q(z|x), with n - 1 below.

    Burda et al., "Importance Weighted Autoencoders" (2016), section 5.2, https://arxiv.org/abs/1509.00519.
    """
    variance: NDArray[np.float64] = z_mean.astype(np.float64).var(axis=0, ddof=1)
    return variance
