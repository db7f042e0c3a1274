"""The sets of images that the Fréchet distance compares with the test images, each made a batch at a time."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data.shards import Images
from vae.data.splits import Labels, Split, sample_rows
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
    test: Split,
    train: Split,
    z_mean_test: NDArray[np.float32],
    mixture: NDArray[np.float32],
    batch_size: int,
    seed: int,
) -> dict[str, ImageSet]:
    """Return the sets by name, of `common_size` images each.

    A conditional model reconstructs each image with its own label. Each draw of z gets the label of a training
    image that is drawn at random, so that the classes are as frequent as in training.

    Args:
        model: the VAE whose decoder makes images.
        test: n test images; some at random if there are more.
        train: m training images, of which some at random are a set.
        z_mean_test: (n, latent_dim), the posterior means of the test images: the set `reconstruction`.
        mixture: (count, latent_dim), latent vectors of the set `mixture`.
        batch_size: the largest number of images that are decoded at a time.
        seed: the seed of the draws.
    """
    count = common_size(test.images, train.images)
    compared = np.arange(len(test.images))[sample_rows(len(test.images), count, seed)]
    drawn = np.random.default_rng(seed).choice(len(train.images), count, replace=False)
    own, others = (test.known_labels[compared], train.known_labels[drawn]) if model.conditional else (None, None)
    decoded = partial(_decoded, model, batch_size)
    return {
        "test": ImageSet(compared, test.images.__getitem__),
        "prior": decoded(np.asarray(model.prior.sample(count, seed)), others),
        "reconstruction": decoded(z_mean_test[compared], own),
        "mixture": decoded(mixture, others),
        "train": ImageSet(drawn, train.images.__getitem__),
    }


def _decoded(model: VAE, batch_size: int, z: NDArray[np.float32], labels: Labels | None) -> ImageSet:
    """Return the mean images of latent vectors (n, latent_dim), with their labels if the model is conditional."""

    def to_images(rows: NDArray[Any]) -> NDArray[np.float32]:
        return model.decode(z[rows], batch_size, labels=None if labels is None else labels[rows])

    return ImageSet(np.arange(len(z)), to_images)
