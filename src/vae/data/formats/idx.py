"""The IDX format of the MNIST family, described at http://yann.lecun.com/exdb/mnist/ under "file formats".

A file contains two zero bytes, a type code, the number of dimensions, each size as a big-endian 32-bit integer, and the
values in C order. A data set consists of four such files, each compressed by gzip or not.
"""

import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vae.data.formats.dataset import DataSet, File, Part
from vae.errors import InputError

UNSIGNED_BYTE = 0x08
PREFIXES = "train", "t10k"
"""The beginnings of the names of the training files and the test files."""
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
"""The ends of the names, without `.gz`."""


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
    first, second = files[f"{prefix}-{IMAGES}.gz"], files[f"{prefix}-{LABELS}.gz"]
    images, labels = parse_idx(first.contents, 3, str(first.path)), parse_idx(second.contents, 1, str(second.path))
    require_as_many(len(images), len(labels), first.path, second.path)
    return Part(images, labels)


def require_as_many(images: int, labels: int, path: Path, label_path: Path) -> None:
    """Refuse another number of labels than of images.

    Raises:
        InputError: the numbers differ.
    """
    if images != labels:
        raise InputError(f"{path} contains {images} images, but {label_path} {labels} labels.")


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
    header, shape = read_header(content, dimensions, name)
    if len(content) != header + math.prod(shape):
        raise wrong_length(f"{len(content) - header}", shape, name)
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_header(content: bytes, dimensions: int, name: str) -> tuple[int, tuple[int, ...]]:
    """Return the size of the header at the start of an IDX file, in bytes, and the shape of the array after it.

    Raises:
        InputError: as in `parse_idx`.
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
    if math.prod(shape) == 0:
        raise InputError(f"{name} contains no values: its header says {' x '.join(map(str, shape))}.")
    return header, shape


def wrong_length(found: str, shape: tuple[int, ...], name: str) -> InputError:
    """Return the error for a file with another number of bytes than its header says."""
    sizes = " x ".join(map(str, shape))
    return InputError(f"{name} has {found} bytes of values, but its header says {sizes} = {math.prod(shape)}.")
