"""Stochastic binarization: each pixel is 1 with the probability of its grey level; and its entropy."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from vae.data.shards import Images, StoredImages, pieces
from vae.data.splits import Split

SEED = 0
"""The seed of images that are binarized once. It is fixed, like a binarized data set on disk, whatever the run's."""
CHUNK = 2**21  # values of images whose entropies are held at a time


def binarize(images: NDArray[np.float32], seed: int = SEED, first: int = 0) -> NDArray[np.float32]:
    """Set each value to 1 with the probability of its grey level in [0, 1], otherwise to 0; keep the shape.

    Salakhutdinov & Murray, "On the quantitative analysis of deep belief networks" (2008), section 6.

    Args:
        images: (n, height, width, channels), or any other shape.
        seed: the seed of the draw.
        first: the number of the first image in the data set whose images are drawn one after the other.
    """
    bits = np.random.PCG64(seed)
    before = first * int(np.prod(images.shape[1:]))
    bits.advance(before // 2)  # the generator makes two float32 of each of its numbers
    draws = np.random.Generator(bits)
    if before % 2:
        draws.random(dtype=np.float32)
    return (draws.random(images.shape, dtype=np.float32) < images).astype(np.float32)


class BinarizedImages(StoredImages):
    """Stored images, each binarized in the same way whenever it is read."""

    def __getitem__(self, rows: slice | NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Read images as `StoredImages` does, and binarize them."""
        numbers, images = np.arange(len(self))[rows], super().__getitem__(rows)
        if isinstance(rows, slice) and rows.step in (None, 1) and numbers.size:
            return binarize(images, first=int(numbers[0]))
        binary: NDArray[np.float32] = np.empty_like(images)
        for place, number in np.ndenumerate(numbers):
            binary[place] = binarize(images[place][np.newaxis], first=int(number))[0]
        return binary


def binarized(split: Split) -> Split:
    """Return the split with its images binarized once, in memory or whenever they are read."""
    images = split.images
    return split._replace(images=BinarizedImages(images.rows) if isinstance(images, StoredImages) else binarize(images))


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
