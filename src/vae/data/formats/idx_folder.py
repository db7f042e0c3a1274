"""A folder of the user's own IDX files, which have MNIST's names."""

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.compressed import MAGIC
from vae.data.formats.dataset import DataSet, Part
from vae.data.formats.idx import IMAGES, LABELS, PREFIXES, read_header, require_as_many, wrong_length
from vae.data.formats.labels import indexed
from vae.data.formats.spool import spooled
from vae.data.shards import at_once, pieces
from vae.errors import InputError

LARGEST = 2**26
"""The most pixels of an image: 8192x8192. A damaged header may say more than the memory holds."""


def is_idx(path: Path) -> bool:
    """Return whether a folder contains a file of training images with MNIST's name."""
    return any((path / f"{PREFIXES[0]}-{IMAGES}{suffix}").is_file() for suffix in ("", ".gz"))


def read_idx_folder(path: Path, options: object) -> DataSet:
    """Read a folder of the user's own files with MNIST's names, with or without labels and a test part.

    The classes are the sorted distinct labels.

    Args:
        path: the folder.
        options: not used; `vae.data.formats.options.conform` applies them.

    Raises:
        InputError: as in `read_idx`, or only one of two parts has labels, or a file cannot be read.
        OSError: as in `vae.data.formats.spool.Spool.write`.
    """
    files = {f"{prefix}-{end}": _own_file(path, f"{prefix}-{end}") for prefix in PREFIXES for end in (IMAGES, LABELS)}
    prefixes = [prefix for prefix in PREFIXES if files[f"{prefix}-{IMAGES}"]]
    if lonely := [prefix for prefix in PREFIXES if files[f"{prefix}-{LABELS}"] and prefix not in prefixes]:
        raise InputError(f"{path} contains {lonely[0]}-{LABELS}, but not {lonely[0]}-{IMAGES}.")
    parts = [_own_part(files[f"{prefix}-{IMAGES}"], files[f"{prefix}-{LABELS}"]) for prefix in prefixes]
    labels = [part.labels for part in parts if part.labels is not None]
    if labels and len(labels) < len(parts):
        raise InputError(f"{path} contains labels for only one of its parts, {' and '.join(prefixes)}.")
    class_names: tuple[str, ...] = ()
    if labels:
        indices, class_names = indexed(labels, str(path))
        parts = [part._replace(labels=index) for part, index in zip(parts, indices, strict=True)]
    return DataSet(parts[0], parts[1] if len(parts) > 1 else None, class_names)


def _own_file(path: Path, name: str) -> Path | None:
    """Return the path of one of the user's files, compressed or not, or None if it does not exist."""
    found = [path / name for name in (name, f"{name}.gz") if (path / name).is_file()]
    if len(found) > 1:
        raise InputError(f"{path} contains both {name} and {name}.gz; remove one of them.")
    return found[0] if found else None


def _own_part(images: Path | None, labels: Path | None) -> Part:
    assert images
    rows = spooled(_read_pieces(images, 3))
    if labels is None:
        return Part(rows, None)
    numbers = np.concatenate(list(_read_pieces(labels, 1)))
    require_as_many(len(rows), len(numbers), images, labels)
    return Part(rows, numbers)


def _read_pieces(path: Path, dimensions: int) -> Iterator[NDArray[np.uint8]]:
    """Read the array in an IDX file, compressed or not, some rows at a time.

    Raises:
        InputError: as in `parse_idx`, or the file cannot be read.
    """
    name = str(path)
    with _readable(path), path.open("rb") as file:
        zipped = file.peek(len(MAGIC)).startswith(MAGIC)
        stream = gzip.GzipFile(fileobj=file) if zipped else file
        _, shape = read_header(stream.read(4 + 4 * dimensions), dimensions, name)
        size, read = math.prod(shape[1:]), 0
        if size > LARGEST:
            sizes = "x".join(map(str, shape[1:]))
            raise InputError(f"{name} has images of {sizes} pixels, but must have at most {LARGEST:,}.")
        with tqdm(total=shape[0], desc=path.name, unit="image", disable=None if dimensions == 3 else True) as bar:
            for rows in pieces(shape[0], at_once(shape[1:])):
                count = min(rows.stop, shape[0]) - rows.start
                content = stream.read(count * size)
                read += len(content)
                if len(content) < count * size:
                    raise wrong_length(f"{read}", shape, name)
                yield np.frombuffer(content, np.uint8).reshape(count, *shape[1:])
                bar.update(count)
        if stream.read(1):  # also verifies the checksum
            raise wrong_length(f"more than {read}", shape, name)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into sentences."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: it is not a whole gzip file ({error}).") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
