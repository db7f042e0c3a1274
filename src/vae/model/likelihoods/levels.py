"""The values of images, which decide whether a likelihood fits them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def unfit_for_density(likelihood: str, images: Array) -> str:
    """Return why a density of that name does not fit images with such values, or the empty string.

    If many pixels have exactly the same value, a model gains by narrowing its density there, without end or to the
    narrowest that the likelihood allows. If there are only two such values, the result measures little else.

    Args:
        likelihood: its name in `params.yaml`.
        images: a sample of the images, in [0, 1].
    """
    if not is_black_and_white(images):
        return ""
    return (
        f"model.likelihood is {likelihood}, a density. On images with only the values 0 and 1, its loss mostly "
        "measures how narrow the density becomes: choose bernoulli or binarized."
    )


def is_black_and_white(images: Array) -> bool:
    """Return whether all values are 0 or 1."""
    return bool(np.all((images == 0) | (images == 1)))


def are_8_bit(images: Array) -> bool:
    """Return whether all values are levels k/255, up to the rounding of half-precision numbers (0.07 levels)."""
    levels = 255 * np.asarray(images, np.float32)
    return bool(np.all(np.abs(levels - np.round(levels)) < 0.1))
