"""The Fréchet distance between two sets of feature vectors, each treated as a sample of a Gaussian.

Dowson & Landau, "The Fréchet distance between multivariate normal distributions" (1982),
https://doi.org/10.1016/0047-259X(82)90077-X:

    d² = ||mu_1 - mu_2||² + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2))

Heusel et al. (2017, https://arxiv.org/abs/1706.08500) compare images by this distance between features of the Inception
network: their FID. The features here come from another network, so these distances are not FIDs and cannot be compared
with any. Distances compare only under the same network, and only among sets of one size, as the estimate is biased
upwards, more so for fewer images.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.errors import InputError

RESAMPLES = 100
ROUNDING = 1e-6  # relative deviation of features that do not vary, in float32


def frechet_distance(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> float:
    """Return the squared distance d² between the Gaussians with the means and the covariances of two sets.

    The trace of (S_1 S_2)^(1/2) is the sum of the singular values of S_1^(1/2) S_2^(1/2). These are real even where a
    covariance is singular. Computed in float64.

    Args:
        first: (n, d), n at least 2.
        second: (m, d), m at least 2.

    Raises:
        ValueError: the shapes are wrong, or a feature is NaN or infinite.
    """
    a, b = _checked(first, second)
    return _distance(a, b)


def standard_error(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]], *, paired: bool, seed: int
) -> float:
    """Return the standard error of `frechet_distance`: its standard deviation over 100 bootstrap resamples.

    Efron, "Bootstrap methods: another look at the jackknife" (1979).

    Args:
        first: (n, d).
        second: (m, d).
        paired: whether row i of both sets belongs to one image, for example to a test image and its reconstruction.
            Pairs are then resampled; otherwise the rows of each set separately.
        seed: the seed of the resamples.

    Raises:
        ValueError: as in `frechet_distance`; or the sets are paired but differ in size.
    """
    a, b = _checked(first, second)
    if paired and len(a) != len(b):
        raise ValueError(f"Sets of {len(a)} and {len(b)} rows cannot be paired.")
    rng = np.random.default_rng(seed)
    distances = []
    for _ in range(RESAMPLES):
        rows = rng.integers(len(a), size=len(a))
        distances.append(_distance(a[rows], b[rows if paired else rng.integers(len(b), size=len(b))]))
    return float(np.std(distances, ddof=1))


def compare(
    reference: NDArray[np.floating[Any]], sets: dict[str, NDArray[np.floating[Any]]], *, paired: set[str], seed: int
) -> dict[str, Any]:
    """Return the distance of each set from the reference, with its standard error.

    Both are in units of the total variance of the reference's features, the trace of their covariance. Multiplying all
    features by one factor therefore changes nothing.

    Args:
        reference: (n, d), features of the test images.
        sets: features by name, (n, d) each.
        paired: the names of the sets whose row i belongs to row i of the reference.
        seed: the seed of the bootstrap.

    Returns:
        `frechet`: distances by name, and their `standard_error`s by name; the numbers of `images` and `features`.

    Raises:
        InputError: the reference's features do not vary beyond rounding, so that there is no unit; or it is one image.
        ValueError: a set does not have the reference's shape, or a feature is NaN or infinite.
    """
    for name, others in sets.items():
        if others.shape != reference.shape:
            raise ValueError(f"The set '{name}' has the shape {others.shape}, not the reference's {reference.shape}.")
    if len(reference) < 2:
        raise InputError("the Fréchet distance needs at least two test images and two training images.")
    variances = reference.var(axis=0, dtype=np.float64, ddof=1)
    unit = float(variances.sum())
    if (np.sqrt(variances) <= ROUNDING * np.abs(reference).max(axis=0)).all():
        raise InputError(
            "the classifier's features are the same for all test images: it has learned nothing; "
            "try a lower classify.learning_rate."
        )
    distances = {name: frechet_distance(reference, others) / unit for name, others in sets.items()}
    errors = {
        name: standard_error(reference, others, paired=name in paired, seed=seed) / unit
        for name, others in tqdm(sets.items(), "bootstrap", unit="set", disable=None)
    }
    count, dimensions = reference.shape
    return {"frechet": {**distances, "standard_error": errors}, "images": count, "features": dimensions}


def _checked(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise ValueError(
            f"Two sets of at least 2 vectors of equal length are needed, not {first.shape} and {second.shape}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A feature is NaN or infinite.")
    return first.astype(np.float64), second.astype(np.float64)


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    overlap = np.linalg.svd(_root(cov_a) @ _root(cov_b), compute_uv=False).sum()
    squared = np.sum((mean_a - mean_b) ** 2) + np.trace(cov_a) + np.trace(cov_b) - 2 * overlap
    return max(0.0, float(squared))  # rounding may leave less than zero


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the positive semidefinite square root of a covariance, by its eigenvectors."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root
