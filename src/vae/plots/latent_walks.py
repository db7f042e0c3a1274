"""Paths and planes through the latent space: arrays of z for the decoder.

Traversals and planes are in standard deviations from the mean of each dimension; `Moments.to_latents` makes z of them.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def traversals(latent_dim: int, dimensions: Sequence[int], values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move one dimension after the other through all values, with the others at zero, their mean.

    Args:
        latent_dim: K.
        dimensions: the dimensions to move, one per row.
        values: (steps,).

    Returns:
        (dimensions, steps, latent_dim).
    """
    z = np.zeros((len(dimensions), len(values), latent_dim), np.float32)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] = values
    return z


def interpolations(starts: NDArray[np.float32], ends: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Return points at equal distances on the straight lines between pairs of points, both ends included.

    Args:
        starts: (pairs, latent_dim).
        ends: the same shape.
        steps: 2 or more.

    Returns:
        (pairs, steps, latent_dim).
    """
    return np.linspace(starts, ends, steps, axis=1, dtype=np.float32)


def gaussian_quantiles(count: int) -> NDArray[np.float64]:
    """Return the inverse CDF of N(0, 1) at the centers of `count` equal parts of [0, 1], (count,)."""
    return np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])


def plane(latent_dim: int, dimensions: Sequence[int], values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a grid over two dimensions, with the others at zero; for one dimension, a single row.

    With Gaussian quantiles as values and no other dimensions, it is the grid of figure 4 of Kingma & Welling (2014).

    Args:
        latent_dim: K.
        dimensions: the dimension that grows with the column and, if there is a second, the one that grows with the row.
        values: (steps,), of both.

    Returns:
        (steps, steps, latent_dim); for one dimension, (1, steps, latent_dim).
    """
    across, *up = dimensions
    z = np.zeros((len(values) if up else 1, len(values), latent_dim), np.float32)
    z[:, :, across] = values
    for dimension in up:
        z[:, :, dimension] = values[:, np.newaxis]
    return z
