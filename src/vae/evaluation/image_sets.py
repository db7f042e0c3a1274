"""The sets of images that the Fréchet distance compares with the test images, each made a batch at a time."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data.shards import Images
from vae.data.splits import sample_rows
from vae.model.vae import VAE

MAX_VALUES = 2**29
"""The most values of the images of a set, which bound the time: 43,690 images of 64x64x3."""


class ImageSet(NamedTuple):
    """Images that need not be in memory."""

    items: NDArray[Any]
    """(n, …): what the images are made from."""
    to_images: Callable[[NDArray[Any]], NDArray[np.float32]]
    """Makes the images (batch, height, width, channels) of a batch of items."""


def common_size(test: Images, train: Images) -> int:
    """Return the number of images in each set, which is the same for all: the distance depends on it."""
    return min(len(test), len(train), max(2, MAX_VALUES // math.prod(test.shape[1:])))


def image_sets(
    model: VAE,
    test: Images,
    train: Images,
    z_mean_test: NDArray[np.float32],
    mixture: NDArray[np.float32],
    batch_size: int,
    seed: int,
) -> dict[str, ImageSet]:
    """Return the sets by name, of `common_size` images each.

    Args:
        model: the VAE whose decoder makes images.
        test: (n, height, width, channels), the test images; some at random if there are more.
        train: (m, height, width, channels), the training images, of which some at random are a set.
        z_mean_test: (n, latent_dim), the posterior means of the test images: the set `reconstruction`.
        mixture: (count, latent_dim), latent vectors of the set `mixture`.
        batch_size: the largest number of images that are decoded at a time.
        seed: the seed of the draws.
    """
    count = common_size(test, train)
    compared = np.arange(len(test))[sample_rows(len(test), count, seed)]
    decode = partial(model.decode, batch_size=batch_size)
    return {
        "test": ImageSet(compared, test.__getitem__),
        "prior": ImageSet(np.asarray(model.prior.sample(count, seed)), decode),
        "reconstruction": ImageSet(z_mean_test[compared], decode),
        "mixture": ImageSet(mixture, decode),
        "train": ImageSet(np.random.default_rng(seed).choice(len(train), count, replace=False), train.__getitem__),
    }
