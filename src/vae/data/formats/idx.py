"""The IDX format of the MNIST family, described at http://yann.lecun.com/exdb/mnist/ under "file formats".

A file contains two zero bytes, a type code, the number of dimensions, each size as a big-endian 32-bit integer, and the
values in C order. A data set consists of four such files, each compressed by gzip.
"""

import math
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vae.data.formats.dataset import DataSet, File, Part
from vae.errors import InputError

UNSIGNED_BYTE = 0x08
PREFIXES = "train", "t10k"
"""The beginnings of the names of the training files and the test files."""


def read_idx(files: Mapping[str, File]) -> DataSet:
    """Read the four files of a data set of the MNIST family; the classes are named by their numbers.

    Args:
        files: the files by their published names.

    Raises:
        InputError: a file is not an IDX file of unsigned bytes, or the numbers of images and labels differ.
    """
    train, test = (_read_part(files, prefix) for prefix in PREFIXES)
    assert train.labels is not None
    return DataSet(train, test, tuple(map(str, range(int(train.labels.max()) + 1))))


def _read_part(files: Mapping[str, File], prefix: str) -> Part:
    pair = files[f"{prefix}-images-idx3-ubyte.gz"], files[f"{prefix}-labels-idx1-ubyte.gz"]
    images, labels = (
        parse_idx(file.contents, dimensions, str(file.path)) for file, dimensions in zip(pair, (3, 1), strict=True)
    )
    if len(images) != len(labels):
        raise InputError(f"{pair[0].path} contains {len(images)} images, but {pair[1].path} {len(labels)} labels.")
    return Part(images, labels)


def parse_idx(content: bytes, dimensions: int, name: str) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes in an IDX file.

    Args:
        content: the whole file, uncompressed.
        dimensions: the required number of dimensions: 3 for images, 1 for labels.
        name: the name of the file in messages.

    Returns:
        A read-only array with that many dimensions.

    Raises:
        InputError: the magic number, the type, the number of dimensions or the length is wrong, or the array is empty.
    """
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InputError(f"{name} has {len(content)} bytes, too few for an IDX header of {header}.")
    zeros, dtype, found = struct.unpack_from(">HBB", content)
    if zeros != 0:
        raise InputError(f"{name} is not an IDX file: it starts with {content[:4].hex(' ')}, not with two zero bytes.")
    if dtype != UNSIGNED_BYTE:
        raise InputError(f"{name} contains IDX type {dtype:#04x}, not unsigned bytes ({UNSIGNED_BYTE:#04x}).")
    if found != dimensions:
        raise InputError(f"{name} has {found} dimensions, not {dimensions}.")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    size, sizes = math.prod(shape), " x ".join(map(str, shape))
    if len(content) != header + size:
        raise InputError(f"{name} has {len(content) - header} bytes of values, but its header says {sizes} = {size}.")
    if size == 0:
        raise InputError(f"{name} contains no values: its header says {sizes}.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
