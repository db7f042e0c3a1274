"""Arrays in `.npz` files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from vae.errors import InputError
from vae.io.whole import whole

MAX_BYTES = 2**30
"""The largest total size of the arrays in one file, uncompressed."""


def save_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write a `.npz` file, whole or not at all.

    Equal arrays give equal bytes, since NumPy dates all entries 1980.

    Raises:
        OSError: as in `whole`.
    """
    with whole(path) as part:
        np.savez(part, allow_pickle=False, **arrays)


def load_arrays(path: Path, *names: str, shape: tuple[int, ...] | None = None) -> tuple[NDArray[Any], ...]:
    """Read the named arrays from a `.npz` file and check that their numbers are finite.

    Args:
        path: the file.
        *names: the names of the arrays.
        shape: the shape of each array, which must then be floating-point; None accepts any shape and type.

    Raises:
        InputError: the file is missing or is not a `.npz` file, or an array is missing, pickled, empty, of another
            shape, or contains NaN or infinity.
    """
    arrays = tuple(read_arrays(path, *names).values())
    for name, array in zip(names, arrays, strict=True):
        if shape is not None and (array.dtype.kind != "f" or array.shape != shape):
            found = f"{array.dtype} of shape {array.shape}"
            raise wrong_file(path, f"array '{name}' is {found}, but must be floating-point of shape {shape}")
        if not array.size:
            raise wrong_file(path, f"array '{name}' is empty")
        if array.dtype.kind == "f" and not np.all(np.isfinite(value_range(array))):
            raise wrong_file(path, f"array '{name}' contains NaN or infinity, but must contain finite numbers")
    return arrays


def read_arrays(path: Path, *names: str, optional: tuple[str, ...] = ()) -> dict[str, NDArray[Any]]:
    """Read the named arrays from a `.npz` file, whatever their shapes and values; an `optional` one may be absent.

    Raises:
        InputError: the file is missing or is not a `.npz` file, or an array is missing or pickled.
    """
    try:
        # `np.load` would treat a file that is not an archive as a pickle.
        with path.open("rb") as stream, NpzFile(stream, allow_pickle=False) as file:
            for name in names:
                if name not in file:
                    raise wrong_file(path, f"array '{name}' is missing")
            assert file.zip
            if sum(entry.file_size for entry in file.zip.infolist()) > MAX_BYTES:
                raise wrong_file(path, f"it unpacks to more than {MAX_BYTES // 2**20} MB")
            arrays = {name: file[name] for name in (*names, *optional) if name in file}
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it.") from None
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for damaged files, even MemoryError
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise wrong_file(path, f"it is not a readable .npz file ({reason})") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy returns the bytes of an entry that is not an array
            raise wrong_file(path, f"'{name}' in it is not an array")
    return arrays


def value_range(array: NDArray[Any]) -> tuple[Any, Any]:
    """Return the lowest and the highest value; both are NaN if any value is NaN."""
    return array.min(), array.max()


def wrong_file(path: Path, what: str) -> InputError:
    """Return the error for a damaged or outdated file, which a stage can make again."""
    return InputError(f"{path}: {what}; `dvc repro` makes it again.")
