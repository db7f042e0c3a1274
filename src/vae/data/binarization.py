"""Stochastic binarization: each pixel is 1 with the probability of its grey level."""

import numpy as np
from numpy.typing import NDArray

SEED = 0
"""The seed of images that are binarized once. It is fixed, like a binarized data set on disk, whatever the run's."""


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
