"""From raw digits to the three splits: a share of them, normalized, with validation images held out."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from vae.datasets import Digits
from vae.errors import InputError
from vae.splits import Split


def normalize(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey levels (n, 28, 28) in 0 … 255 to float32 (n, 28, 28, 1) in [0, 1]."""
    return images[..., np.newaxis].astype(np.float32) / np.float32(255)


def stratified_share(labels: NDArray[np.uint8], share: float, seed: int) -> NDArray[np.intp]:
    """Indices, ascending, of that share of the images, stratified by label; at share 1, all of them.

    Raises:
        InputError: fewer images would be left, on either side, than there are classes.
    """
    everything = np.arange(len(labels))
    if share == 1:
        return everything
    size, classes = round(share * len(labels)), len(np.unique(labels))
    if not classes <= size <= len(labels) - classes:
        raise InputError(
            f"prepare.share is {share:g}, which leaves {size} of {len(labels)} images, "
            f"but must be 1 or leave from {classes} to {len(labels) - classes}."
        )
    return np.sort(train_test_split(everything, train_size=size, random_state=seed, stratify=labels)[0])


def hold_out(labels: NDArray[np.uint8], size: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the training images and of `size` validation images, stratified by label, shuffled by `seed`.

    Raises:
        InputError: there would be fewer images, on either side, than there are classes.
    """
    classes = len(np.unique(labels))
    if len(labels) < 2 * classes:
        raise InputError(
            f"prepare.share leaves {len(labels)} training images of {classes} classes, "
            "but must leave two of each: one to train with, one to validate."
        )
    if not classes <= size <= len(labels) - classes:
        raise InputError(
            f"prepare.validation_size is {size}, but must be from {classes} to {len(labels) - classes}: "
            f"there are {len(labels)} training images of {classes} classes."
        )
    train, validation = train_test_split(np.arange(len(labels)), test_size=size, random_state=seed, stratify=labels)
    return train, validation


def split(
    train: Digits, test: Digits, class_names: tuple[str, ...], share: float, validation_size: int, seed: int
) -> dict[str, Split]:
    """The three splits by name: of a share of both sets, with the validation images held out of the training set."""

    def part(digits: Digits, indices: NDArray[np.intp]) -> Split:
        return Split(normalize(digits.images[indices]), digits.labels[indices], np.array(class_names))

    pool = stratified_share(train.labels, share, seed)
    kept, held_out = hold_out(train.labels[pool], validation_size, seed)
    return {
        "train": part(train, pool[kept]),
        "validation": part(train, pool[held_out]),
        "test": part(test, stratified_share(test.labels, share, seed)),
    }
