"""Checks of what a caller hands to the model. Each error is one sentence that says what would be right."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from keras import ops
from numpy.typing import NDArray

from vae.errors import InputError
from vae.model.likelihoods.levels import is_black_and_white

Entry = TypeVar("Entry")
FITS = ("pad", "crop", "stretch")
"""How images of another shape are fitted: with black bars, by cutting off edges, or distorted. The first by default."""


def choose(registry: Mapping[str, Entry], name: str, what: str) -> Entry:
    """Return the entry of that name.

    Raises:
        InputError: the name is unknown; the message lists the known names.
    """
    if name not in registry:
        raise InputError(f"{what} is {name!r}, but must be one of: {', '.join(registry)}.")
    return registry[name]


def check_image_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the shape of an image as (height, width, channels).

    Raises:
        InputError: it is not three positive whole numbers.
    """
    if np.shape(shape) != (3,) or not all(isinstance(size, int | np.integer) and size > 0 for size in shape):
        raise InputError(f"image_shape is {shape}, but must be (height, width, channels): positive whole numbers.")
    height, width, channels = map(int, shape)
    return height, width, channels


def check_image_fit(fit: str) -> str:
    """Return how images of another shape are fitted into the model's.

    Raises:
        InputError: it is not one of `FITS`.
    """
    if fit not in FITS:
        raise InputError(f"image_fit is {fit!r}, but must be one of: {', '.join(FITS)}.")
    return fit


def check_images(images: Any, shape: tuple[int, int, int], binary: bool = False) -> NDArray[np.float32]:
    """Return the images, (n, *shape), as float32.

    Args:
        images: the images.
        shape: (height, width, channels).
        binary: whether the model takes only images whose values are 0 or 1.

    Raises:
        InputError: there are no images, they have another shape or type, or values outside [0, 1]; or they must be
            binary, but are not.
    """
    array: NDArray[Any] = np.asarray(images)
    if array.dtype.kind != "f" or array.shape[1:] != shape:
        right = f"floating-point of shape (n, {', '.join(map(str, shape))}), with values from 0 to 1"
        raise InputError(f"images are {array.dtype} of shape {array.shape}, but must be {right}.")
    if not len(array):
        raise InputError(f"images have the shape {array.shape}, but there must be at least one.")
    lowest, highest = array.min(), array.max()
    if not (lowest >= 0 and highest <= 1):
        raise InputError(
            f"images have values from {lowest:g} to {highest:g}, but must be within 0 and 1: "
            "divide levels from 0 to 255 by 255."
        )
    if binary and not is_black_and_white(array):
        raise InputError(
            "images have values between 0 and 1, but the model's likelihood is binarized, which needs pixels that are "
            "0 or 1: pass vae.data.binarization.binarize(images)."
        )
    return array.astype(np.float32, copy=False)


def check_if_array(images: Any, shape: tuple[int, int, int], binary: bool = False) -> Any:
    """Check an array or a tensor as `check_images` does; return anything else, for example a data set, as it is."""
    is_array = isinstance(images, np.ndarray) or ops.is_tensor(images)
    return check_images(images, shape, binary) if is_array else images


def check_labels(labels: Any, count: int, classes: int) -> NDArray[np.int32] | None:
    """Return the labels of `count` images as int32, (count,); None for a model that is not conditional.

    Args:
        labels: (count,), or a single one for all images; None for a model that is not conditional.
        count: the number of images or latent vectors.
        classes: the number of classes of a conditional model; 0 for another.

    Raises:
        InputError: labels are missing for a conditional model, are given to another, or have another shape, type or
            range.
    """
    if not classes:
        if labels is not None:
            raise InputError(
                "labels are given, but the model is not conditional and takes none; model.conditional: true trains one "
                "that does."
            )
        return None
    if labels is None:
        raise InputError(
            f"the model is conditional, so it needs the label of each image too, a number from 0 to {classes - 1}."
        )
    array: NDArray[Any] = np.asarray(labels)
    if array.dtype.kind not in "iu" or array.shape not in ((), (count,)):
        right = f"whole numbers of shape ({count},), or a single one"
        raise InputError(f"labels are {array.dtype} of shape {array.shape}, but must be {right}.")
    lowest, highest = array.min(), array.max()
    if lowest < 0 or highest >= classes:
        raise InputError(f"labels are from {lowest} to {highest}, but must be from 0 to {classes - 1}.")
    return np.broadcast_to(array, count).astype(np.int32)


def check_inputs(inputs: Any, shape: tuple[int, int, int], classes: int, binary: bool = False) -> Any:
    """Check what `fit` and `evaluate` get as `check_if_array` does: images, or a pair of images and their labels.

    Args:
        inputs: images, or for a conditional model a pair; or a data set of these.
        shape: (height, width, channels).
        classes: as in `check_labels`.
        binary: as in `check_images`.

    Raises:
        InputError: as in `check_images` and `check_labels`, or the elements of a data set are not such pairs.
    """
    if isinstance(inputs, tuple | list) and len(inputs) == 2:
        images = check_images(inputs[0], shape, binary)
        labels = check_labels(inputs[1], len(images), classes)
        return images if labels is None else (images, labels)
    match getattr(inputs, "element_spec", None):  # of a tf.data.Dataset
        case None | ((_, _), *_):
            pass
        case _ if classes:
            raise InputError(
                "the model is conditional, so a tf.data.Dataset must yield ((images, labels),): the pair is the "
                "input, and there is no target."
            )
    images = check_if_array(inputs, shape, binary)
    if isinstance(images, np.ndarray):
        check_labels(None, len(images), classes)
    return images


def check_latents(z: Any, latent_dim: int) -> NDArray[np.float32]:
    """Return latent vectors, (n, latent_dim), as float32.

    Raises:
        InputError: the array is empty or has another shape.
    """
    vectors: NDArray[np.float32] = np.asarray(z, np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != latent_dim or not len(vectors):
        raise InputError(
            f"latent vectors have the shape {vectors.shape}, but must have (n, {latent_dim}), with n at least 1."
        )
    return vectors


def check_count(count: int, name: str) -> None:
    """Refuse a number of things that is less than one.

    Raises:
        InputError: it is less than one.
    """
    if count < 1:
        raise InputError(f"{name} is {count}, but must be at least 1.")
