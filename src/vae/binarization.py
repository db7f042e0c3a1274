"""The two protocols for test images, grey levels as they are and stochastically binarized, and the floor under both."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

SEED = 0
"""Of the binarized test images: the same ones whatever the run's own seed, as in a binarized data set on disk."""


def binarize(images: NDArray[np.float32], seed: int = SEED) -> NDArray[np.float32]:
    """Each pixel 1 with the probability of its grey level in [0, 1], else 0; the shape is kept.

    Salakhutdinov & Murray, "On the quantitative analysis of deep belief networks" (2008), section 6.
    """
    draws = np.random.default_rng(seed).random(images.shape, dtype=np.float32)
    return (draws < images).astype(np.float32)


def entropy_nats(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Entropy of the binarization of each image (n, …), (n,): the sum of -x log x - (1 - x) log(1 - x) over its pixels.

    The cross-entropy of grey levels is at least this (Gibbs' inequality), whatever the model; and so is the expected
    negative log-likelihood of images binarized at random: a floor under the loss of both protocols.
    """
    x = images.reshape(len(images), -1).astype(np.float64)
    return np.asarray((entr(x) + entr(1 - x)).sum(axis=1))
