"""The Fréchet distance between two sets of feature vectors, each taken for a sample of a Gaussian.

Dowson & Landau, "The Fréchet distance between multivariate normal distributions" (1982),
https://doi.org/10.1016/0047-259X(82)90077-X:

    d² = ||mu_1 - mu_2||² + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2))

Heusel et al. (2017, https://arxiv.org/abs/1706.08500) compare images by it, with features of the Inception network:
their FID. The features here are another network's, so that a distance is no FID and may not be set beside one; and
distances compare under one and the same network alone. A distance is estimated too high, the more so the fewer the
images: it compares among sets of one size.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.errors import InputError

RESAMPLES = 100


def frechet_distance(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> float:
    """The squared distance d² between the Gaussians with the means and the covariances of two sets.

    The trace of (S_1 S_2)^(1/2) is the sum of the singular values of S_1^(1/2) S_2^(1/2), which are those of a real
    matrix even where a covariance is singular. Computed in float64.

    Args:
        first: (n, d), n at least 2.
        second: (m, d), m at least 2.

    Raises:
        ValueError: the shapes are others, or a feature is not a finite number.
    """
    a, b = _checked(first, second)
    return _distance(a, b)


def standard_error(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]], *, paired: bool, seed: int
) -> float:
    """The bootstrap's standard error of `frechet_distance` (Efron, 1979): its deviation over 100 resamples.

    Args:
        first: (n, d).
        second: (m, d).
        paired: whether row i of both is of one image, say a test image and its reconstruction. Then pairs are drawn,
            otherwise rows of each set by itself.
        seed: of the draws.

    Raises:
        ValueError: as `frechet_distance`; or the sets are paired but not of one size.
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
    """Each set's distance to the reference, with its standard error, as the stage `score` reports them.

    Both in units of the total variance of the reference's features, the trace of their covariance: so a network whose
    features are the same but for a factor gives the same distances.

    Args:
        reference: (n, d), features of the test images.
        sets: by name, (n, d) each.
        paired: names of the sets whose row i belongs to row i of the reference.
        seed: of the bootstrap.

    Returns:
        `frechet`: distances by name, and their `standard_error`s by name; the numbers of `images` and `features`.

    Raises:
        InputError: the reference's features do not vary, so that there is no unit.
        ValueError: a set has not the reference's shape, or a feature is not a finite number.
    """
    for name, others in sets.items():
        if others.shape != reference.shape:
            raise ValueError(f"The set '{name}' has the shape {others.shape}, not the reference's {reference.shape}.")
    unit = float(reference.var(axis=0, dtype=np.float64, ddof=1).sum())
    if unit == 0:
        raise InputError(
            "the classifier's features are the same for all test images: it has learnt nothing; "
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
        raise ValueError(f"Two sets of at least 2 vectors of one length are needed, not {first.shape}, {second.shape}.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A feature is not a finite number.")
    return first.astype(np.float64), second.astype(np.float64)


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    overlap = np.linalg.svd(_root(cov_a) @ _root(cov_b), compute_uv=False).sum()
    squared = np.sum((mean_a - mean_b) ** 2) + np.trace(cov_a) + np.trace(cov_b) - 2 * overlap
    return max(0.0, float(squared))  # rounding may leave less than zero


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The positive semidefinite square root of a covariance, by its eigenvectors."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root
