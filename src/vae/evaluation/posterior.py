"""What the latent dimensions carry: the KL of each dimension, active units, and the two parts of the mean KL.

Everything is computed from the parameters of q(z|x) = N(z_mean, diag exp(z_log_var)) for n images, (n, K) each. It is
in nats, against the prior N(0, I) unless said otherwise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.evaluation.latent_moments import Moments

ACTIVE_VARIANCE = 0.01
"""A dimension is active if the variance of its means is above this share of its variance, which is 1 under N(0, I)."""
RESAMPLES = 100  # of the bootstrap
CHUNK, MAX_DENSITIES = 500, 5_000_000  # samples at a time, and their densities under all n posteriors, at most

Floats = NDArray[np.float64]


def kl_per_dimension(z_mean: NDArray[np.floating[Any]], z_log_var: NDArray[np.floating[Any]]) -> Floats:
    """Return KL(q(z_k|x) || N(0, 1)), (n, K): appendix B of Kingma & Welling (2014), not summed over dimensions."""
    z_mean, z_log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
    return np.asarray(0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var), np.float64)


def variance_of_means(z_mean: NDArray[np.float32]) -> Floats:
    """Return the variance over the images of each dimension's posterior mean, (K,)."""
    return np.asarray(z_mean.var(axis=0, dtype=np.float64, ddof=1))


def active(z_mean: NDArray[np.float32], moments: Moments) -> NDArray[np.bool_]:
    """Return which dimensions say something about the image, (K,).

    Burda et al., "Importance Weighted Autoencoders" (2016), section 5.2, https://arxiv.org/abs/1509.00519, call a unit
    active if the variance of its means is over 0.01. Their prior is N(0, I). Under a learned prior the scale of z is
    arbitrary, so the variance is compared with 0.01 of the variance of z.

    Args:
        z_mean: (n, K).
        moments: of the prior N(0, I), or of the aggregate posterior.
    """
    return variance_of_means(z_mean) > ACTIVE_VARIANCE * moments.std**2


def standard_error_of_variance(values: NDArray[np.float32]) -> Floats:
    """Return the standard error, (K,), of the variance over the n rows of `values` (n, K).

    It is sqrt((m4 - s^4) / n), with m4 the fourth central moment and s² the variance, to first order in 1/n.
    """
    squares = (values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)) ** 2
    return np.asarray(squares.std(axis=0) / np.sqrt(len(values)))


def draw_posterior(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], seed: int) -> Floats:
    """Return one draw of z ~ q(z|x) for each image, (n, K)."""
    noise = np.random.default_rng(seed).standard_normal(z_mean.shape)
    return np.asarray(z_mean + np.exp(0.5 * z_log_var.astype(np.float64)) * noise)


def mutual_information(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], seed: int) -> Floats:
    """Return an estimate for each image, (n,), whose mean estimates the mutual information I(x; z).

    Hoffman & Johnson, "ELBO surgery" (2016), http://approximateinference.org/accepted/HoffmanJohnson2016.pdf: the mean
    KL to the prior is I(x; z) + KL(q(z) || p(z)), with q(z) = 1/n sum_i q(z|x_i) the aggregate posterior of these n
    images. The estimate is log q(z|x_i) - log q(z) at one draw z of q(z|x_i), with q(z) summed over all n posteriors.
    As x is one of n images, I(x; z) is at most log n. Where the posteriors hardly overlap it equals log n, which is
    then a lower bound for a population of more images.
    """
    z = draw_posterior(z_mean, z_log_var, seed)
    z_mean, z_log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
    # log N(z; m, v) without its 2 pi, which cancels; the square is expanded, so that it needs matrix products only
    precision = np.exp(-z_log_var)
    constant = -0.5 * (z_mean**2 * precision + z_log_var).sum(axis=1)
    aggregate = []
    rows = min(CHUNK, max(1, MAX_DENSITIES // len(z)))
    parts = np.array_split(z, -(-len(z) // rows))
    for part in tqdm(parts, "mutual information", unit="part", disable=None):
        log_density = part @ (z_mean * precision).T - 0.5 * part**2 @ precision.T + constant
        highest = log_density.max(axis=1, keepdims=True)  # SciPy's logsumexp takes several times as long
        aggregate.append(highest[:, 0] + np.log(np.exp(log_density - highest).sum(axis=1)))
    own = -0.5 * ((z - z_mean) ** 2 * precision + z_log_var).sum(axis=1)
    return np.asarray(own - np.concatenate(aggregate) + np.log(len(z)))


def moment_kl(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32]) -> float:
    """Return KL to the prior N(0, I) of the Gaussian with the mean and covariance of the aggregate posterior q(z).

    It is a lower bound on KL(q(z) || p(z)). The Gaussian has the highest entropy of all densities with these moments,
    and the cross-entropy with a Gaussian prior depends only on the moments. Unlike log n, it does not depend on n.
    """
    mean = z_mean.mean(axis=0, dtype=np.float64)
    covariance = np.atleast_2d(np.cov(z_mean.astype(np.float64), rowvar=False))
    covariance += np.diag(np.exp(z_log_var.astype(np.float64)).mean(axis=0))
    return float(0.5 * (mean @ mean + np.trace(covariance) - len(mean) - np.linalg.slogdet(covariance)[1]))


def summarize(
    z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], seed: int, kl: Floats | None = None
) -> dict[str, Any]:
    """Split the mean KL of n images into its two parts.

    Args:
        z_mean: (n, K).
        z_log_var: (n, K).
        seed: the seed of the draws and of the bootstrap.
        kl: (n,), estimates of the KL to a prior other than N(0, I). Without them, it is computed in closed form.

    Returns:
        `active_units`, the number of dimensions that are `active`.
        `mutual_information` and `marginal_kl`, which is KL(q(z) || p(z)). Their sum is the mean KL.
        `log_images`, log n. There the mutual information saturates, and `marginal_kl` becomes an upper bound.
        `moment_kl`, a lower bound on KL(q(z) || p(z)), for the prior N(0, I) only.
        `standard_error`, of each but `log_images`. For `mutual_information` and `marginal_kl` it is taken over the
        images, and ignores that q(z) is itself an average over them. For the others it is the bootstrap's.
    """
    information = mutual_information(z_mean, z_log_var, seed)
    marginal = (kl_per_dimension(z_mean, z_log_var).sum(axis=1) if kl is None else kl) - information
    n = len(z_mean)
    learned = kl is not None
    moment_error, active_error = _bootstrap_errors(z_mean, z_log_var, seed, learned)
    results = {
        "active_units": _active_units(z_mean, z_log_var, learned),
        "mutual_information": float(information.mean()),
        "marginal_kl": float(marginal.mean()),
        "moment_kl": moment_kl(z_mean, z_log_var),
        "log_images": float(np.log(n)),
    }
    errors = {
        "mutual_information": float(information.std(ddof=1) / np.sqrt(n)),
        "marginal_kl": float(marginal.std(ddof=1) / np.sqrt(n)),
        "moment_kl": moment_error,
        "active_units": active_error,
    }
    if learned:
        del results["moment_kl"], errors["moment_kl"]
    return results | {"standard_error": errors}


def _active_units(z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], learned: bool) -> int:
    """Return the number of active dimensions, under the prior N(0, I) or a learned one."""
    if learned:
        moments = Moments.of_aggregate_posterior(z_mean, z_log_var)
    else:
        moments = Moments.of_standard_prior(z_mean.shape[1])
    return int(active(z_mean, moments).sum())


def _bootstrap_errors(
    z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], seed: int, learned: bool
) -> tuple[float, float]:
    """Return the standard errors of `moment_kl` and `active_units`: their deviations over resampled images."""
    rng, n = np.random.default_rng(seed), len(z_mean)
    draws = (rng.integers(n, size=n) for _ in range(RESAMPLES))
    drawn = ((z_mean[rows], z_log_var[rows]) for rows in draws)
    resamples = [(moment_kl(*both), _active_units(*both, learned)) for both in drawn]
    with np.errstate(invalid="ignore"):  # some are infinite where the covariance is singular
        moment_error, active_error = np.std(resamples, axis=0, ddof=1)
    return float(moment_error), float(active_error)
