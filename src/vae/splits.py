"""The prepared data: training, validation and test split, each a `.npz` file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from vae.errors import InputError
from vae.files import whole

SPLITS = ("train", "validation", "test")
IMAGE_SHAPE = (28, 28, 1)
CLASSES = 10
MAX_BYTES = 2**30  # of the arrays in a file, unpacked; 60,000 images have 188 MB


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


def load_arrays(path: Path, *names: str, shape: tuple[int, ...] | None = None) -> tuple[NDArray[Any], ...]:
    """The named arrays in a `.npz` file. Pickled objects are refused.

    Args:
        path: of the file.
        *names: of the arrays.
        shape: that each must have, in floating point; None for any.

    Raises:
        InputError: the file is missing, is no `.npz`, lacks an array, or one is of another shape, is empty, or holds
            NaN or infinity.
    """
    arrays = read_arrays(path, *names)
    for name, array in zip(names, arrays, strict=True):
        if shape is not None and (array.dtype.kind != "f" or array.shape != shape):
            found = f"{array.dtype} of shape {array.shape}"
            raise _wrong(path, f"array '{name}' is {found}, but must be floating-point of shape {shape}")
        if not array.size:
            raise _wrong(path, f"array '{name}' is empty")
        if array.dtype.kind == "f" and not np.all(np.isfinite(_range(array))):
            raise _wrong(path, f"array '{name}' holds NaN or infinity, but must hold finite numbers")
    return arrays


def save_split(path: Path, split: Split) -> None:
    """Write the split as a `.npz` file."""
    save_arrays(path, **split._asdict())


def load_split(path: Path) -> Split:
    """Read what `save_split` wrote.

    Raises:
        InputError: as with `load_arrays`; or an array is not as `Split` has it, or there is no image.
    """
    split = Split(*read_arrays(path, *Split._fields))
    count = len(split.images) if split.images.ndim else 1
    for name, dtype, shape in (
        ("images", "float32", (count, *IMAGE_SHAPE)),
        ("labels", "uint8", (count,)),
        ("class_names", "str", (CLASSES,)),
    ):
        array = getattr(split, name)
        fits = array.dtype.kind == "U" if dtype == "str" else array.dtype == dtype
        if not fits or array.shape != shape:
            found = f"{array.dtype} of shape {array.shape}"
            raise _wrong(path, f"array '{name}' is {found}, but must be {dtype} of shape {shape}")
    if not count:
        raise _wrong(path, "there is no image in it")
    lowest, highest = _range(split.images)
    if not (lowest >= 0 and highest <= 1):
        raise _wrong(path, f"array 'images' has values from {lowest:g} to {highest:g}, but must be within 0 and 1")
    if split.labels.max() >= CLASSES:
        raise _wrong(path, f"array 'labels' has a label {split.labels.max()}, but must be below {CLASSES}")
    return split


def read_arrays(path: Path, *names: str) -> tuple[NDArray[Any], ...]:
    """As `load_arrays`, whatever is in the arrays."""
    try:
        # Not by `np.load`, which takes whatever is no archive for a pickle.
        with path.open("rb") as stream, NpzFile(stream, allow_pickle=False) as file:
            for name in names:
                if name not in file:
                    raise _wrong(path, f"there is no array '{name}' in it")
            assert file.zip
            if sum(entry.file_size for entry in file.zip.infolist()) > MAX_BYTES:
                raise _wrong(path, f"it unpacks to more than {MAX_BYTES // 2**20} MB")
            arrays = tuple(file[name] for name in names)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it.") from None
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds at damaged files, MemoryError among them
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise _wrong(path, f"it is not a readable .npz file ({reason})") from None
    for name, array in zip(names, arrays, strict=True):
        if not isinstance(array, np.ndarray):  # but the bytes of a file that does not begin like one
            raise _wrong(path, f"'{name}' in it is no array")
    return arrays


def _range(array: NDArray[Any]) -> tuple[Any, Any]:
    """The lowest and the highest value, both NaN if one is: two passes, and no array of bools."""
    return array.min(), array.max()


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"{path}: {what}; `dvc repro` makes it anew.")


def first_images(splits: Sequence[Split], count: int) -> Split:
    """The first `count` images of the splits, one split after the other; all of them, if there are no more."""
    images, labels, class_names = zip(*splits, strict=True)
    return Split(np.concatenate(images)[:count], np.concatenate(labels)[:count], class_names[0])
