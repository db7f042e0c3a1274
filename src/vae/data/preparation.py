"""From raw images to the three splits: normalize a share of them and hold out validation images."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from vae.data.formats.dataset import DataSet, Part
from vae.data.splits import Split
from vae.errors import InputError

Labels = NDArray[np.uint8] | None


def normalize(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert levels in 0 … 255 to float32 in [0, 1], and (n, height, width) to (n, height, width, 1)."""
    with_channels = images if images.ndim == 4 else images[..., np.newaxis]
    return with_channels.astype(np.float32) / np.float32(255)


def draw_share(part: Part, share: float, seed: int) -> NDArray[np.intp]:
    """Draw a share of the images, stratified by label if there are labels; share 1 is all of them.

    Returns:
        Indices, ascending.

    Raises:
        InputError: the share, or the rest, would have fewer images than there are classes.
    """
    count = len(part.images)
    if share == 1:
        return np.arange(count)
    size, classes = round(share * count), _classes(part.labels)
    if not classes <= size <= count - classes:
        raise InputError(
            f"prepare.share is {share:g}, which leaves {size} of {count} images, "
            f"but must be 1 or leave from {classes} to {count - classes}."
        )
    kept, _ = train_test_split(np.arange(count), train_size=size, random_state=seed, stratify=part.labels)
    return np.sort(kept)


def hold_out(count: int, labels: Labels, size: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw `size` of the training images for validation, stratified by label if there are labels.

    Args:
        count: number of training images.
        labels: (count,), or None.
        size: number of validation images.
        seed: seed of the draw and of the order.

    Returns:
        Indices of the remaining training images and of the validation images, both shuffled.

    Raises:
        InputError: either part would have fewer images than there are classes.
    """
    classes = _classes(labels)
    if count < 2 * classes:
        raise InputError(
            f"prepare.share leaves {count} training images of {classes} classes, "
            "but must leave two of each: one to train with, one to validate."
        )
    if not classes <= size <= count - classes:
        raise InputError(
            f"prepare.validation_size is {size}, but must be from {classes} to {count - classes}: "
            f"there are {count} training images of {classes} classes."
        )
    train, validation = train_test_split(np.arange(count), test_size=size, random_state=seed, stratify=labels)
    return train, validation


def split(data: DataSet, share: float, validation_size: int, seed: int) -> dict[str, Split]:
    """Return the three splits by name: a share of both parts, with validation images held out of the training part."""

    def chosen(part: Part, indices: NDArray[np.intp]) -> Split:
        labels = None if part.labels is None else part.labels[indices]
        return Split(normalize(part.images[indices]), labels, np.array(data.class_names, np.str_))

    pool = draw_share(data.train, share, seed)
    labels = None if data.train.labels is None else data.train.labels[pool]
    kept, held_out = hold_out(len(pool), labels, validation_size, seed)
    return {
        "train": chosen(data.train, pool[kept]),
        "validation": chosen(data.train, pool[held_out]),
        "test": chosen(data.test, draw_share(data.test, share, seed)),
    }


def _classes(labels: Labels) -> int:
    return 1 if labels is None else len(np.unique(labels))
