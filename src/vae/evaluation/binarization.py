"""Stochastic binarization of the test images, and its entropy: a lower bound on the loss of any model."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

SEED = 0
"""The seed of the binarized test images. It is fixed, like a binarized data set on disk, whatever the run's seed."""
CHUNK = 500  # images of which the entropies are held at a time


def binarize(images: NDArray[np.float32], seed: int = SEED) -> NDArray[np.float32]:
    """Set each pixel to 1 with the probability of its grey level in [0, 1], otherwise to 0; keep the shape.

    Salakhutdinov & Murray, "On the quantitative analysis of deep belief networks" (2008), section 6.
    """
    draws = np.random.default_rng(seed).random(images.shape, dtype=np.float32)
    return (draws < images).astype(np.float32)


def entropy_nats(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the entropy of each image's binarization, (n,), in nats.

    It is the sum of -x log x - (1 - x) log(1 - x) over the values x of an image. By Gibbs' inequality no model has a
    lower cross-entropy with the grey levels, nor a lower expected negative log-likelihood of the binarized images.

    Args:
        images: (n, height, width, channels), in [0, 1].
    """
    parts = (images[i : i + CHUNK].reshape(-1, math.prod(images.shape[1:])) for i in range(0, len(images), CHUNK))
    return np.concatenate([(entr(x) + entr(1 - x)).sum(axis=1) for x in (part.astype(np.float64) for part in parts)])
