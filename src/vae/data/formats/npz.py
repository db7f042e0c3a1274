"""Images in a `.npz` file, as `np.savez` writes it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from vae.data.formats.dataset import DataSet, Images, Labels, Part, indexed
from vae.data.formats.options import Options
from vae.data.splits import label_type
from vae.errors import InputError

KEYS = {
    "train": (("images", "labels"), ("x_train", "y_train")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
}
"""The names of the images and the labels of each part; the second names are Keras's."""
CLASS_NAMES = "class_names"

Arrays = dict[str, NDArray[Any]]


def is_npz(path: Path) -> bool:
    """Return whether this is a `.npz` file, by its suffix."""
    return path.is_file() and path.suffix.lower() == ".npz"


def read_npz(path: Path, options: Options) -> DataSet:
    """Read the images, and the labels if there are any, from a file with the names in `KEYS`.

    Images are (n, height, width), (n, height, width, 1) or (n, height, width, 3), of uint8, or of floats from 0 to 1.
    Labels are whole numbers or strings, (n,) or (n, 1). With `class_names`, they are indices into these or some of
    these; otherwise, the sorted distinct labels are the classes.

    Raises:
        InputError: the file is not a `.npz` file, or an array is missing, pickled, or of another type, shape or range.
    """
    arrays = _read(path)
    train, test = (_find(arrays, part, path) for part in KEYS)
    if train is None:
        raise InputError(
            f"{path} contains {', '.join(map(repr, arrays)) or 'no arrays'}, but must contain 'images' or 'x_train'."
        )
    parts = [train] if test is None else [train, test]
    images = [_checked_images(arrays[name], name, path) for name, _ in parts]
    named = [name for _, name in parts if name in arrays]
    if not named:
        return DataSet(Part(images[0], None), None if test is None else Part(images[1], None), ())
    if len(named) < len(parts):
        raise InputError(f"{path} contains labels for only one of its parts ('{named[0]}').")
    raw = [_checked_labels(arrays[label], label, arrays[name], name, path) for name, label in parts]
    labels, class_names = _classes(raw, named, arrays.get(CLASS_NAMES), path)
    read = [Part(*pair) for pair in zip(images, labels, strict=True)]
    return DataSet(read[0], read[1] if test else None, class_names)


def _read(path: Path) -> Arrays:
    """Return all arrays whose names are known; no other is read, and none is unpickled."""
    known = {CLASS_NAMES, *(name for pairs in KEYS.values() for pair in pairs for name in pair)}
    name = ""
    try:
        with path.open("rb") as stream, NpzFile(stream, allow_pickle=False) as file:
            arrays = {}
            for name in file.files:
                arrays[name] = file[name] if name in known else np.empty(0)
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except MemoryError:
        raise InputError(f"{path}: its array '{name}' does not fit into memory.") from None
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for damaged files
        if "allow_pickle" in str(error):
            raise InputError(
                f"{path}: its array '{name}' contains Python objects, which are never loaded; make it an array of "
                "numbers or strings of one length."
            ) from None
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(f"{path} is not a readable .npz file ({reason}).") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy returns the bytes of an entry that is not an array
            raise InputError(f"{path}: '{name}' in it is not an array.")
    return arrays


def _find(arrays: Arrays, part: str, path: Path) -> tuple[str, str] | None:
    """Return the names of a part's images and labels."""
    found = [pair for pair in KEYS[part] if pair[0] in arrays]
    if len(found) > 1:
        raise InputError(f"{path} contains both '{found[0][0]}' and '{found[1][0]}'; one of them is needed.")
    lonely = [label for image, label in KEYS[part] if label in arrays and image not in arrays]
    if lonely:
        raise InputError(f"{path} contains '{lonely[0]}', but not its images.")
    return found[0] if found else None


def _checked_images(images: NDArray[Any], name: str, path: Path) -> Images:
    where = f"{path}: its array '{name}'"
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        raise InputError(
            f"{where} has the shape {images.shape}, with the channels first; np.moveaxis(images, 1, -1) moves them."
        )
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
        raise InputError(
            f"{where} has the shape {images.shape}, but must have (n, height, width), (n, height, width, 1) or "
            "(n, height, width, 3)."
        )
    if not images.size:
        raise InputError(f"{where} is empty: its shape is {images.shape}.")
    if images.dtype == np.uint8:
        return images
    if images.dtype == np.bool_:
        return images.astype(np.float32)
    if images.dtype.kind != "f":
        raise InputError(f"{where} is {images.dtype}, but must be uint8, bool, or floats from 0 to 1.")
    lowest, highest = float(images.min()), float(images.max())
    if not (lowest >= 0 and highest <= 1):
        hint = "; divide it by the number that stands for white" if lowest >= 0 and np.isfinite(highest) else ""
        raise InputError(f"{where} has values from {lowest:g} to {highest:g}, but floats must be within 0 and 1{hint}.")
    return images.astype(np.float32)


def _checked_labels(labels: NDArray[Any], name: str, images: NDArray[Any], its: str, path: Path) -> NDArray[Any]:
    where = f"{path}: its array '{name}'"
    if labels.ndim == 2 and labels.shape[1] == 1:  # the shape of CIFAR-10's labels in Keras
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InputError(f"{where} has the shape {labels.shape}, but must have (n,).")
    if len(labels) != len(images):
        raise InputError(f"{where} has {len(labels):,} labels, but '{its}' has {len(images):,} images.")
    if labels.dtype.kind not in "iubU":
        raise InputError(f"{where} is {labels.dtype}, but must be whole numbers or strings.")
    return labels


def _classes(
    labels: list[NDArray[Any]], names: list[str], class_names: NDArray[Any] | None, path: Path
) -> tuple[list[Labels], tuple[str, ...]]:
    """Return labels as indices, and the names of the classes."""
    if len({part.dtype.kind == "U" for part in labels}) > 1:
        raise InputError(
            f"{path}: its arrays {' and '.join(map(repr, names))} must both be numbers, or both be strings."
        )
    if class_names is None:
        return indexed(labels, str(path))
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
