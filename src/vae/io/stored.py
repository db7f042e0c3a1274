"""Arrays that may be larger than the memory: their rows stay in files until they are asked for."""

import os
import struct
import weakref
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vae.errors import InputError
from vae.io.arrays import wrong_file

LOCAL_HEADER = struct.Struct("<26xHH")
"""The fixed part of the header before an entry in a ZIP file; it ends in the lengths of the name and of the rest."""


class OpenFile:
    """A file that stays open for reading until nothing refers to it.

    Args:
        descriptor: its descriptor, which belongs to this object from now on.
        name: its name in messages.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor, self.name = descriptor, name
        weakref.finalize(self, os.close, descriptor)


class StoredRows:
    """An array (n, …) in open files, each row in one piece.

    Rows are read at their positions, not through a memory map, whose pages would count as memory of the process.

    Args:
        files: the files.
        numbers: (n,), for each row the index of its file.
        offsets: (n,), for each row the position of its first byte.
        row_shape: the shape of a row.
        dtype: the type of the values.
    """

    def __init__(
        self,
        files: Sequence[OpenFile],
        numbers: NDArray[np.integer[Any]],
        offsets: NDArray[np.integer[Any]],
        row_shape: tuple[int, ...],
        dtype: DTypeLike,
    ) -> None:
        self.files, self.numbers, self.offsets = tuple(files), numbers, offsets
        self.row_shape, self.dtype = row_shape, np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, …)."""
        return len(self), *self.row_shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return 1 + len(self.row_shape)

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, rows: slice | NDArray[np.integer[Any]]) -> "StoredRows":
        """Return some of the rows, without reading them."""
        return StoredRows(self.files, self.numbers[rows], self.offsets[rows], self.row_shape, self.dtype)

    def __getitem__(self, rows: slice | NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Read rows: of a slice, or of indices of any shape (…), which gives (…, *row_shape).

        Raises:
            InputError: a file is shorter than it was.
        """
        numbers, offsets = self.numbers[rows], self.offsets[rows]
        values = np.empty((*offsets.shape, *self.row_shape), self.dtype)
        if not values.size:
            return values
        buffer, size = values.reshape(-1).view(np.uint8).data, values.nbytes // offsets.size
        for i, (number, offset) in enumerate(zip(numbers.ravel().tolist(), offsets.ravel().tolist(), strict=True)):
            file = self.files[number]
            if os.preadv(file.descriptor, [buffer[i * size : (i + 1) * size]], offset) != size:
                raise InputError(f"{file.name} became shorter while it was read; run this stage again.")
        return values


def concatenated(parts: Sequence[StoredRows]) -> StoredRows:
    """Return the rows of several arrays of one type and row shape as one, without reading them."""
    counts = np.cumsum([0, *(len(part.files) for part in parts)])
    return StoredRows(
        [file for part in parts for file in part.files],
        np.concatenate([part.numbers + start for part, start in zip(parts, counts[:-1], strict=True)]),
        np.concatenate([part.offsets for part in parts]),
        parts[0].row_shape,
        parts[0].dtype,
    )


def stored_array(path: Path, name: str) -> StoredRows:
    """Return an array of a `.npz` file that `np.savez` wrote, without reading its values.

    Raises:
        InputError: the file is missing or damaged, or has no such array with rows one after the other.
    """
    try:
        with path.open("rb") as file:
            stored = OpenFile(os.dup(file.fileno()), str(path))
            with zipfile.ZipFile(file) as archive:
                entry = archive.getinfo(f"{name}.npy")
                with archive.open(entry) as stream:
                    shape, fortran_order, dtype = read_header(stream)
                    header = stream.tell()
            file.seek(entry.header_offset)
            start = entry.header_offset + LOCAL_HEADER.size + sum(LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size)))
        rows = np.arange(shape[0], dtype=np.int64)
        size = dtype.itemsize * int(np.prod(shape[1:]))
        whole = entry.compress_type == zipfile.ZIP_STORED and entry.file_size == header + size * shape[0]
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it.") from None
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for damaged files
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise wrong_file(path, f"it is not a readable .npz file ({reason})") from None
    if not whole or fortran_order or dtype.hasobject:
        raise wrong_file(path, f"array '{name}' is not stored row by row")
    return StoredRows([stored], np.zeros_like(rows), start + header + size * rows, shape[1:], dtype)


def read_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the start of a `.npy` stream: the shape, whether the order is Fortran's, and the type.

    Raises:
        ValueError: it is not a `.npy` stream.
    """
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read(stream)
    return shape, fortran_order, dtype
