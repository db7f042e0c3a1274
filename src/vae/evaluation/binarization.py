"""Stochastic binarization of the test images, and its entropy: a lower bound on the loss of any model."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from vae.data.shards import Images, pieces

SEED = 0
"""The seed of the binarized test images. It is fixed, like a binarized data set on disk, whatever the run's seed."""
CHUNK = 2**21  # values of images whose entropies are held at a time


def binarize(images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Set each pixel to 1 with the probability of its grey level in [0, 1], otherwise to 0; keep the shape.

    Salakhutdinov & Murray, "On the quantitative analysis of deep belief networks" (2008), section 6. One generator
    gives the same images batch by batch, in order, as all at once.
    """
    draws = rng.random(images.shape, dtype=np.float32)
    return (draws < images).astype(np.float32)


def entropy_nats(images: Images) -> NDArray[np.float64]:
    """Return the entropy of each image's binarization, (n,), in nats.

    It is the sum of -x log x - (1 - x) log(1 - x) over the values x of an image. By Gibbs' inequality no model has a
    lower cross-entropy with the grey levels, nor a lower expected negative log-likelihood of the binarized images.

    Args:
        images: (n, height, width, channels), in [0, 1].
    """
    size = math.prod(images.shape[1:])
    parts = (images[rows].reshape(-1, size) for rows in pieces(len(images), max(1, CHUNK // size)))
    return np.concatenate([(entr(x) + entr(1 - x)).sum(axis=1) for x in (part.astype(np.float64) for part in parts)])
