"""Labels: numbers or names, as indices into the names of the classes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.data.formats.dataset import Labels
from vae.data.splits import label_type
from vae.errors import InputError

MAX_CLASSES = 2**16
"""The largest number of classes: labels have at most 16 bits."""
CLASS_NAMES = "class_names"
"""The array of a `.npz` file with the names of the classes."""


def indexed(values: list[NDArray[Any]], where: str) -> tuple[list[Labels], tuple[str, ...]]:
    """Return numbers or names as indices into their sorted distinct values, and the names of the classes.

    Args:
        values: the labels of each part.
        where: the data set, for messages.

    Raises:
        InputError: there are more than `MAX_CLASSES` classes.
    """
    distinct = np.unique(np.concatenate(values))
    if len(distinct) > MAX_CLASSES:
        raise InputError(f"{where} has {len(distinct):,} classes, but must have at most {MAX_CLASSES:,}.")
    dtype = label_type(len(distinct))
    return [np.searchsorted(distinct, part).astype(dtype) for part in values], tuple(map(str, distinct.tolist()))


def check_labels(labels: NDArray[Any], name: str, count: int, its: str, path: Path) -> NDArray[Any]:
    """Return labels as a vector of whole numbers or of text.

    Args:
        labels: (n,) or (n, 1).
        name: the name of their array.
        count: the number of images.
        its: the name of the images' array.
        path: the file.

    Raises:
        InputError: they have another shape, type or number.
    """
    where = f"{path}: its array '{name}'"
    if labels.ndim == 2 and labels.shape[1] == 1:  # the shape of CIFAR-10's labels in Keras
        labels = labels[:, 0]
    if labels.ndim != 1:
        cure = "; labels.argmax(axis=1) converts one-hot labels" if labels.ndim == 2 else ""
        raise InputError(f"{where} has the shape {labels.shape}, but must have (n,){cure}.")
    if len(labels) != count:
        raise InputError(f"{where} has {len(labels):,} labels, but '{its}' has {count:,} images.")
    if labels.dtype.kind == "f" and np.all(labels == np.round(labels)) and np.all(np.abs(labels) < 2**53):
        labels = labels.astype(np.int64)
    labels = _as_text(labels)
    if labels.dtype.kind not in "iubU":
        raise InputError(f"{where} is {labels.dtype}, but must be whole numbers or strings.")
    return labels


def _as_text(strings: NDArray[Any]) -> NDArray[Any]:
    """Return strings of bytes as text; anything else as it is."""
    return np.char.decode(strings, "utf-8", "replace") if strings.dtype.kind == "S" else strings


def classes_of(
    labels: list[NDArray[Any]], names: list[str], class_names: NDArray[Any] | None, path: Path
) -> tuple[list[Labels], tuple[str, ...]]:
    """Return the labels of each part as indices, and the names of the classes.

    Args:
        labels: the labels of each part, as `check_labels` returns them.
        names: the names of their arrays.
        class_names: the array of the classes' names, or None.
        path: the file.

    Raises:
        InputError: the parts have labels of different kinds, or a label or a name of a class is wrong.
    """
    if len({part.dtype.kind == "U" for part in labels}) > 1:
        raise InputError(
            f"{path}: its arrays {' and '.join(map(repr, names))} must both be numbers, or both be strings."
        )
    if class_names is None:
        return indexed(labels, str(path))
    class_names = _as_text(class_names)
    if class_names.ndim != 1 or class_names.dtype.kind != "U":
        raise InputError(f"{path}: its array '{CLASS_NAMES}' must be strings of the shape (classes,).")
    known: list[str] = class_names.tolist()
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise InputError(f"{path}: its array '{CLASS_NAMES}' contains {twice[0]!r} twice.")
    if labels[0].dtype.kind == "U":
        index = {name: number for number, name in enumerate(known)}
        for part, name in zip(labels, names, strict=True):
            if unknown := sorted(set(part.tolist()) - set(known)):
                raise InputError(
                    f"{path}: its array '{name}' contains {unknown[0]!r}, which is not in '{CLASS_NAMES}'."
                )
        labels = [np.array([index[name] for name in part.tolist()]) for part in labels]
    for part, name in zip(labels, names, strict=True):
        if part.min() < 0 or part.max() >= len(known):
            raise InputError(
                f"{path}: its array '{name}' has values from {part.min()} to {part.max()}, but '{CLASS_NAMES}' has "
                f"{len(known)} names, so they must be within 0 and {len(known) - 1}."
            )
    return [part.astype(label_type(len(known))) for part in labels], tuple(known)
