"""The latent dimensions in order of their KL: how much each says about an image, and which say nothing."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.evaluation.latent_moments import Moments
from vae.evaluation.posterior import active, kl_per_dimension, standard_error_of_variance, variance_of_means


def by_kl(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], moments: Moments) -> pd.DataFrame:
    """Return one row per latent dimension, the largest KL first; equal ones stay in the order of the dimensions.

    The KL is KL(q(z_k|x) || N(mean_k, std_k²)). With the moments of the prior N(0, I), it is the KL to the prior. A
    learned prior's KL is not a sum over dimensions. With the moments of the aggregate posterior, the mean KL is at
    least the mutual information of z_k and the image: no other Gaussian gives a lower one.

    Args:
        z_mean: (n, latent_dim), of q(z|x) for n images.
        z_log_var: the same shape.
        moments: of the Gaussians to which the KL is taken.

    Returns:
        `dimension`, from 0; `kl`, in nats per image, the mean over the images, and its `standard_error`;
        `variance_of_means` and its `variance_standard_error`, in the unit of z²; `active`, as `active` returns it.
    """
    kl = kl_per_dimension(*moments.standardize(z_mean, z_log_var))
    order = np.argsort(-kl.mean(axis=0), kind="stable")
    table = pd.DataFrame(
        {
            "dimension": np.arange(kl.shape[1]),
            "kl": kl.mean(axis=0),
            "standard_error": kl.std(axis=0, ddof=1) / np.sqrt(len(kl)),
            "variance_of_means": variance_of_means(z_mean),
            "variance_standard_error": standard_error_of_variance(z_mean),
            "active": active(z_mean, moments),
        }
    )
    return table.iloc[order].reset_index(drop=True)
