"""What the latent dimensions carry: KL by dimension, active units, and the rate split in two.

All of it from the parameters of q(z|x) = N(z_mean, diag exp(z_log_var)) for n images, each (n, K); in nats.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

ACTIVE_VARIANCE = 0.01
CHUNK = 500  # samples whose densities under all n posteriors are held at a time

Floats = NDArray[np.float64]


def kl_per_dimension(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32]) -> Floats:
    """KL(q(z_k|x) || N(0, 1)), (n, K): appendix B of Kingma & Welling (2014), before the sum over dimensions."""
    z_mean, z_log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
    return np.asarray(0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var), np.float64)


def variance_of_means(z_mean: NDArray[np.float32]) -> Floats:
    """Variance over the images of each dimension's posterior mean, (K,).

    Burda et al., "Importance Weighted Autoencoders" (2016), section 5.2, https://arxiv.org/abs/1509.00519, call a unit
    active if it is over `ACTIVE_VARIANCE`: the others tell nothing of the image.
    """
    return np.asarray(z_mean.var(axis=0, dtype=np.float64, ddof=1))


def standard_error_of_variance(values: NDArray[np.float32]) -> Floats:
    """Of the variance over the n rows of `values`, (K,): sqrt((m4 - s4) / n), to first order in 1/n."""
    squares = (values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)) ** 2
    return np.asarray(squares.std(axis=0) / np.sqrt(len(values)))


def mutual_information(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], seed: int) -> Floats:
    """An estimate for each image, (n,), whose mean is that of the mutual information I(x; z) of images and latents.

    Hoffman & Johnson, "ELBO surgery" (2016), equations 5 to 8: the mean KL to the prior is I(x; z) + KL(q(z) || p(z)),
    with q(z) = 1/n sum_i q(z|x_i) the aggregate posterior of these n images. The estimate is log q(z|x_i) - log q(z)
    at one sample z of q(z|x_i), with q(z) summed over all n posteriors. x is one of n images, so that I(x; z) is at
    most log n, and close to it wherever the posteriors hardly overlap.
    """
    z_mean, z_log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
    noise = np.random.default_rng(seed).normal(size=z_mean.shape)
    z = z_mean + np.exp(0.5 * z_log_var) * noise
    # log N(z; m, v) without its 2 pi, which cancels, and the square multiplied out, for one product of matrices
    precision = np.exp(-z_log_var)
    constant = -0.5 * (z_mean**2 * precision + z_log_var).sum(axis=1)
    aggregate = np.concatenate(
        [
            logsumexp(part @ (z_mean * precision).T - 0.5 * part**2 @ precision.T + constant, axis=1)
            for part in np.array_split(z, -(-len(z) // CHUNK))
        ]
    )
    own = -0.5 * (noise**2 + z_log_var).sum(axis=1)
    return np.asarray(own - (aggregate - np.log(len(z))))


def summarize(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], seed: int) -> dict[str, object]:
    """The figures above for n images, with standard errors; dimensions are numbered from 0, as in the model.

    `mutual_information` and `marginal_kl`, KL(q(z) || p(z)), add up to the mean KL; `log_images` is log n. The standard
    errors of both, taken over the images, leave aside that q(z) is itself an average over them.
    """
    kl, variance = kl_per_dimension(z_mean, z_log_var), variance_of_means(z_mean)
    information = mutual_information(z_mean, z_log_var, seed)
    marginal = kl.sum(axis=1) - information
    root = np.sqrt(len(kl))
    return {
        "kl_per_dimension": _by_dimension(kl.mean(axis=0)),
        "active_units": int((variance > ACTIVE_VARIANCE).sum()),
        "variance_of_means": _by_dimension(variance),
        "mutual_information": float(information.mean()),
        "marginal_kl": float(marginal.mean()),
        "log_images": float(np.log(len(kl))),
        "standard_error": {
            "kl_per_dimension": _by_dimension(kl.std(axis=0, ddof=1) / root),
            "variance_of_means": _by_dimension(standard_error_of_variance(z_mean)),
            "mutual_information": float(information.std(ddof=1) / root),
            "marginal_kl": float(marginal.std(ddof=1) / root),
        },
    }


def _by_dimension(values: Floats) -> dict[str, float]:
    return {str(k): float(value) for k, value in enumerate(values)}
