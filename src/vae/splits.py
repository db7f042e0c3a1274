"""The prepared data: training, validation and test split, each a `.npz` file."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError
from vae.files import whole

SPLITS = ("train", "validation", "test")


class Split(NamedTuple):
    """Images as the model takes them, with their labels."""

    images: NDArray[np.float32]
    """(n, 28, 28, 1), in [0, 1]."""
    labels: NDArray[np.uint8]
    """(n,), indices into `class_names`."""
    class_names: NDArray[np.str_]
    """(10,)."""


def save_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write a `.npz` file, whole or not at all. Equal arrays give equal bytes: NumPy dates its entries 1980."""
    with whole(path) as part:
        np.savez(part, allow_pickle=False, **arrays)


def load_arrays(path: Path, *names: str) -> tuple[NDArray[Any], ...]:
    """The named arrays in a `.npz` file. Pickled objects are refused.

    Raises:
        InputError: the file is missing, is no `.npz`, or lacks an array.
    """
    try:
        # Opened here, since NumPy leaves a file open that it finds to be no archive.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            for name in names:
                if name not in file:
                    raise InputError(f"{path} has no array '{name}'.")
            return tuple(file[name] for name in names)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it.") from None
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable .npz file: {error}.") from None


def save_split(path: Path, split: Split) -> None:
    """Write the split as a `.npz` file."""
    save_arrays(path, **split._asdict())


def load_split(path: Path) -> Split:
    """Read what `save_split` wrote."""
    return Split(*load_arrays(path, *Split._fields))


def first_images(splits: Sequence[Split], count: int) -> Split:
    """The first `count` images of the splits, one split after the other; all of them, if there are no more."""
    images, labels, class_names = zip(*splits, strict=True)
    return Split(np.concatenate(images)[:count], np.concatenate(labels)[:count], class_names[0])
