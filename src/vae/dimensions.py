"""The latent dimensions in the order of their KL: how much each tells of an image, and which tell nothing."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.posterior import ACTIVE_VARIANCE, kl_per_dimension, standard_error_of_variance, variance_of_means


def by_kl(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32]) -> pd.DataFrame:
    """One row a dimension, that of the largest KL first; equal ones in their own order.

    Args:
        z_mean: (n, latent_dim), of q(z|x) for n images.
        z_log_var: the same shape.

    Returns:
        `dimension`, from 0; `kl`, in nats per image, the mean over the images, and its `standard_error`;
        `variance_of_means` and its `variance_standard_error`; `active`, whether that variance is above 0.01.
    """
    kl, variance = kl_per_dimension(z_mean, z_log_var), variance_of_means(z_mean)
    order = np.argsort(-kl.mean(axis=0), kind="stable")
    table = pd.DataFrame(
        {
            "dimension": np.arange(kl.shape[1]),
            "kl": kl.mean(axis=0),
            "standard_error": kl.std(axis=0, ddof=1) / np.sqrt(len(kl)),
            "variance_of_means": variance,
            "variance_standard_error": standard_error_of_variance(z_mean),
            "active": variance > ACTIVE_VARIANCE,
        }
    )
    return table.iloc[order].reset_index(drop=True)
