"""Images on their way from the user's files to the prepared ones: in a temporary file, however many there are."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vae.io.stored import OpenFile, StoredRows

FOLDER = Path("data/prepared")
"""The disk of this folder will have room for the images. The system's temporary folder may be in memory."""


class Spool:
    """A temporary file of arrays. It has no name, so that nothing of it is left however the process ends.

    Raises:
        OSError: no file can be made; the error names its folder.
    """

    def __init__(self) -> None:
        self.place = next(folder for folder in (FOLDER, *FOLDER.parents) if folder.is_dir())
        self.end = 0
        with self._errors(), tempfile.TemporaryFile(dir=self.place) as file:
            self.file = OpenFile(os.dup(file.fileno()), str(self.place))

    def write(self, values: NDArray[Any]) -> int:
        """Append the values in C order, and return the position of the first.

        Raises:
            OSError: the disk is full; the error names its folder.
        """
        start, left = self.end, np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
        with self._errors():
            while left:
                written = os.pwrite(self.file.descriptor, left, self.end)
                left, self.end = left[written:], self.end + written
        return start

    def rows(self, offsets: Any, row_shape: tuple[int, ...], dtype: DTypeLike) -> StoredRows:
        """Return what was written as an array, whose rows begin at the positions `offsets` (n,)."""
        positions = np.asarray(offsets, np.int64)
        return StoredRows([self.file], np.zeros(len(positions), np.uint8), positions, row_shape, dtype)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, os.strerror(error.errno or 0), str(self.place)) from None


def spooled(arrays: Iterable[NDArray[Any]]) -> StoredRows:
    """Return the rows of arrays of one type and row shape, from a temporary file; there is at least one array.

    Raises:
        OSError: as in `Spool.write`.
    """
    spool, count = Spool(), 0
    for array in arrays:
        spool.write(array)
        count, row_shape, dtype = count + len(array), array.shape[1:], array.dtype
    size = dtype.itemsize * int(np.prod(row_shape))
    return spool.rows(np.arange(count, dtype=np.int64) * size, row_shape, dtype)
