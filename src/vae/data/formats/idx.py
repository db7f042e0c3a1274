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

from vae.data.compressed import read_limited, unpack
from vae.data.formats.dataset import DataSet, File, Part, indexed
from vae.data.formats.options import Options
from vae.errors import InputError

UNSIGNED_BYTE = 0x08
PREFIXES = "train", "t10k"
"""The beginnings of the names of the training files and the test files."""
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
"""The ends of the names, without `.gz`."""
MAX_BYTES = 2**30
"""The largest size of a file of the user's own, compressed or not."""


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


def is_idx(path: Path) -> bool:
    """Return whether a folder contains a file of training images with MNIST's name."""
    return any((path / f"{PREFIXES[0]}-{IMAGES}{suffix}").is_file() for suffix in ("", ".gz"))


def read_idx_folder(path: Path, options: Options) -> DataSet:
    """Read a folder of the user's own files with MNIST's names, with or without labels and a test part.

    The classes are the sorted distinct labels.

    Raises:
        InputError: as in `read_idx`, or only one of two parts has labels, or a file cannot be read.
    """
    files = {
        f"{prefix}-{end}.gz": file
        for prefix in PREFIXES
        for end in (IMAGES, LABELS)
        if (file := _own_file(path, f"{prefix}-{end}"))
    }
    prefixes = [prefix for prefix in PREFIXES if f"{prefix}-{IMAGES}.gz" in files]
    if lonely := [prefix for prefix in PREFIXES if f"{prefix}-{LABELS}.gz" in files and prefix not in prefixes]:
        raise InputError(f"{path} contains {lonely[0]}-{LABELS}, but not {lonely[0]}-{IMAGES}.")
    parts = [_read_part(files, prefix) for prefix in prefixes]
    labels = [part.labels for part in parts if part.labels is not None]
    if labels and len(labels) < len(parts):
        raise InputError(f"{path} contains labels for only one of its parts, {' and '.join(prefixes)}.")
    class_names: tuple[str, ...] = ()
    if labels:
        indices, class_names = indexed(labels, str(path))
        parts = [part._replace(labels=index) for part, index in zip(parts, indices, strict=True)]
    return DataSet(parts[0], parts[1] if len(parts) > 1 else None, class_names)


def _own_file(path: Path, name: str) -> File | None:
    """Return one of the user's files, compressed or not, or None if it does not exist."""
    found = [path / name for name in (name, f"{name}.gz") if (path / name).is_file()]
    if len(found) > 1:
        raise InputError(f"{path} contains both {name} and {name}.gz; remove one of them.")
    if not found:
        return None
    try:
        return File(found[0], unpack(read_limited(found[0], MAX_BYTES), MAX_BYTES))
    except OSError as error:
        raise InputError(f"{found[0]} cannot be read: {error.strerror}.") from None
    except InputError as error:
        raise InputError(f"{found[0]} cannot be read: {error}.") from None


def _read_part(files: Mapping[str, File], prefix: str) -> Part:
    """Read the images, and the labels if there is a file of labels."""
    pair = files[f"{prefix}-{IMAGES}.gz"], files.get(f"{prefix}-{LABELS}.gz")
    images = parse_idx(pair[0].contents, 3, str(pair[0].path))
    if pair[1] is None:
        return Part(images, None)
    labels = parse_idx(pair[1].contents, 1, str(pair[1].path))
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
