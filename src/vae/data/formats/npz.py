"""Images in a `.npz` file, as `np.savez` or `np.savez_compressed` writes it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.formats.dataset import DataSet, Part
from vae.data.formats.labels import CLASS_NAMES, check_labels, classes_of
from vae.data.formats.spool import spooled
from vae.data.shards import at_once, pieces
from vae.errors import InputError
from vae.io.stored import StoredRows, read_header

KEYS = {
    "train": (("images", "labels"), ("x_train", "y_train")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
}
"""The names of the images and the labels of each part; the second names are Keras's."""


def is_npz(path: Path) -> bool:
    """Return whether this is a `.npz` file, by its suffix."""
    return path.is_file() and path.suffix.lower() == ".npz"


def read_npz(path: Path, options: object) -> DataSet:
    """Read the images, and the labels if there are any, from a file with the names in `KEYS`.

    Images are (n, height, width), (n, height, width, 1) or (n, height, width, 3), of uint8, or of floats from 0 to 1.
    Labels are whole numbers or strings, (n,) or (n, 1). With `class_names`, they are indices into these or some of
    these; otherwise, the sorted distinct labels are the classes. No other array is read, and none is unpickled.

    Args:
        path: the file.
        options: not used; `vae.data.formats.options.conform` applies them.

    Raises:
        InputError: the file is not a `.npz` file, or an array is missing, pickled, or of another type, shape or range.
        OSError: as in `vae.data.formats.spool.Spool.write`.
    """
    with ExitStack() as stack:
        with _readable(path):
            file = stack.enter_context(NpzFile(stack.enter_context(path.open("rb")), allow_pickle=False))
        train, test = (_find(file.files, part, path) for part in KEYS)
        if train is None:
            found = ", ".join(map(repr, file.files)) or "no arrays"
            raise InputError(f"{path} contains {found}, but must contain 'images' or 'x_train'.")
        parts = [train] if test is None else [train, test]
        images = [_read_images(file, name, path) for name, _ in parts]
        read = {name: _read(file, name, path) for name in (*(name for _, name in parts), CLASS_NAMES) if name in file}
    named = [name for _, name in parts if name in read]
    if not named:
        return DataSet(Part(images[0], None), None if test is None else Part(images[1], None), ())
    if len(named) < len(parts):
        raise InputError(f"{path} contains labels for only one of its parts ('{named[0]}').")
    raw = [
        check_labels(read[label], label, len(its), name, path) for (name, label), its in zip(parts, images, strict=True)
    ]
    labels, class_names = classes_of(raw, named, read.get(CLASS_NAMES), path)
    pairs = [Part(*pair) for pair in zip(images, labels, strict=True)]
    return DataSet(pairs[0], pairs[1] if test else None, class_names)


@contextmanager
def _readable(path: Path, name: str = "") -> Iterator[None]:
    """Turn errors of reading the file, or its array of that name, into sentences."""
    try:
        yield
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except MemoryError:
        raise InputError(f"{path}: its array '{name}' does not fit into memory.") from None
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for damaged files
        if "allow_pickle" in str(error):
            raise _of_objects(path, name) from None
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(f"{path} is not a readable .npz file ({reason}).") from None


def _of_objects(path: Path, name: str) -> InputError:
    return InputError(
        f"{path}: its array '{name}' contains Python objects, which are never loaded; make it an array of numbers or "
        "strings of one length."
    )


def _read(file: NpzFile, name: str, path: Path) -> NDArray[Any]:
    """Read an array whole."""
    with _readable(path, name):
        array = file[name]
    if not isinstance(array, np.ndarray):  # NumPy returns the bytes of an entry that is not an array
        raise InputError(f"{path}: '{name}' in it is not an array.")
    return array


def _find(names: list[str], part: str, path: Path) -> tuple[str, str] | None:
    """Return the names of a part's images and labels."""
    found = [pair for pair in KEYS[part] if pair[0] in names]
    if len(found) > 1:
        raise InputError(f"{path} contains both '{found[0][0]}' and '{found[1][0]}'; one of them is needed.")
    lonely = [label for image, label in KEYS[part] if label in names and image not in names]
    if lonely:
        raise InputError(f"{path} contains '{lonely[0]}', but not its images.")
    return found[0] if found else None


def _read_images(file: NpzFile, name: str, path: Path) -> StoredRows:
    """Copy images to a temporary file, a piece at a time, as uint8 or as float32 from 0 to 1."""
    where, limits = f"{path}: its array '{name}'", [np.inf, -np.inf]

    def checked(source: Iterable[NDArray[Any]], total: int) -> Iterator[NDArray[Any]]:
        with tqdm(total=total, desc=name, unit="image", disable=None) as bar:
            for piece in source:
                if piece.dtype.kind == "f":
                    limits[:] = np.minimum(limits[0], piece.min()), np.maximum(limits[1], piece.max())
                yield piece if piece.dtype == np.uint8 else piece.astype(np.float32)
                bar.update(len(piece))

    with _open(file, name, path) as stream:
        try:
            shape, fortran_order, dtype = read_header(stream)
        except ValueError:
            raise InputError(f"{path}: '{name}' in it is not an array.") from None
        if dtype.hasobject:
            raise _of_objects(path, name)
        _check_images(shape, dtype, where)
        source = _pieces_of(_read(file, name, path)) if fortran_order else _pieces_in(stream, shape, dtype, path)
        rows = spooled(checked(source, shape[0]))
    lowest, highest = limits
    if dtype.kind == "f" and not (lowest >= 0 and highest <= 1):
        found = f"values from {lowest:g} to {highest:g}"
        raise InputError(f"{where} has {found}, but floats must be within 0 and 1{_cure(lowest, highest)}.")
    return rows


def _open(file: NpzFile, name: str, path: Path) -> IO[bytes]:
    assert file.zip
    entry = f"{name}.npy" if f"{name}.npy" in file.zip.namelist() else name
    with _readable(path, name):
        return file.zip.open(entry)


def _cure(lowest: float, highest: float) -> str:
    """Return what brings values of that range into 0 … 1, as the end of a sentence."""
    if not np.isfinite(highest - lowest):
        return "; leave out the images with NaN or infinity, or replace these values"
    if lowest >= 0:
        return "; divide it by the number that stands for white"
    return "; (images + 1) / 2 brings values from -1 to 1 there" if lowest >= -1 and highest <= 1 else ""


def _pieces_in(stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> Iterator[NDArray[Any]]:
    """Yield an array in C order from the bytes after its header."""
    size = dtype.itemsize * int(np.prod(shape[1:]))
    for rows in pieces(shape[0], at_once(shape[1:])):
        count = min(rows.stop, shape[0]) - rows.start
        with _readable(path):
            piece = np.frombuffer(stream.read(count * size), dtype).reshape(count, *shape[1:])
        yield piece
    with _readable(path):
        if stream.read(1):  # also verifies the checksum
            raise ValueError(f"more values than {shape}")


def _pieces_of(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    return (array[rows] for rows in pieces(len(array), at_once(array.shape[1:])))


def _check_images(shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> None:
    """Refuse images of another shape or type."""
    if len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3):
        raise InputError(
            f"{where} has the shape {shape}, with the channels first; np.moveaxis(images, 1, -1) moves them."
        )
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        cure = "; images[..., :3] leaves a fourth channel out" if len(shape) == 4 and shape[3] == 4 else ""
        raise InputError(
            f"{where} has the shape {shape}, but must have (n, height, width), (n, height, width, 1) or "
            f"(n, height, width, 3){cure}."
        )
    if 0 in shape:
        raise InputError(f"{where} is empty: its shape is {shape}.")
    if dtype.kind not in "fb" and dtype != np.uint8:
        cure = "; images.astype(np.uint8) converts whole numbers from 0 to 255" if dtype.kind in "iu" else ""
        raise InputError(f"{where} is {dtype}, but must be uint8, bool, or floats from 0 to 1{cure}.")
