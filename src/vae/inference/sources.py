"""Where the user's images come from: files, folders, patterns, `.npz` files, IDX folders and arrays, read piecewise."""

import glob
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.formats.dataset import DataSet, Part
from vae.data.formats.decoding import stamp_of
from vae.data.formats.folder import SHOWN, decode_all, shown
from vae.data.formats.idx_folder import is_idx, read_idx_folder
from vae.data.formats.listing import ImageFile, images_below
from vae.data.formats.npz import KEYS, is_npz, read_npz
from vae.data.formats.options import Options, conform, with_channels
from vae.data.shards import normalize, pieces
from vae.errors import InputError
from vae.io.stored import StoredRows, read_header
from vae.model.inputs import check_images

Source = Sequence[Path | str] | Path | str | NDArray[Any]
TOGETHER = 500
"""Images that are read from a data set at a time."""


class Piece(NamedTuple):
    """Images as they are read, in the required form."""

    names: list[str]
    images: NDArray[np.float32]
    """(n, height, width, channels), in [0, 1]."""
    classes: list[str] | None
    """The names of the images' classes; None if they have none."""
    places: NDArray[np.int64]
    """(n,), from 0, increasing: their places among all images, unreadable ones included."""


class Opened(NamedTuple):
    """A source whose images are read when they are asked for."""

    total: int
    """The number of images, unreadable ones included."""
    read: Callable[[range], Iterator[Piece]]
    """Reads the images at some consecutive places, of which there is at least one."""


def open_sources(source: Source, options: Options) -> list[Opened]:
    """Return the sources that an array, a path, or several paths and patterns stand for.

    Args:
        source: images (n, height, width, channels) or (n, height, width), of uint8 or of floats in [0, 1]; or paths.
        options: the required form. It has a size and channels.

    Raises:
        InputError: an array has another form, or a path does not exist, is not readable or contains no images.
    """
    if isinstance(source, np.ndarray):
        return [_open_array(source, options)]
    return [_open_path(Path(path), options) for path in expanded(source)]


def read_all(opened: Sequence[Opened], places: range) -> Iterator[Piece]:
    """Read the images at some consecutive places, counted through all sources; open no other source's files."""
    first = 0
    for source in opened:
        if own := _overlap(places, first, source.total):
            for piece in source.read(own):
                yield piece._replace(places=piece.places + first)
        first += source.total


def _overlap(places: range, first: int, count: int) -> range:
    """Return which of `count` images, the first of which is at the place `first`, are at these places."""
    return range(max(places.start - first, 0), min(places.stop - first, count))


def say(line: str) -> None:
    """Print a line on stderr, above a progress bar: stdout may be a table."""
    tqdm.write(line, file=sys.stderr)


def _open_array(array: NDArray[Any], options: Options) -> Opened:
    images = normalize(array) if array.dtype == np.uint8 else array
    images = check_images(images[..., np.newaxis] if images.ndim == 3 else images, _form(options))
    return Opened(len(images), lambda places: iter([_of_array(images[places.start : places.stop], places)]))


def _of_array(images: NDArray[np.float32], places: range) -> Piece:
    return Piece([str(place) for place in places], images, None, np.array(places))


def expanded(source: Sequence[Path | str] | Path | str) -> list[str]:
    """Return the paths, with those that a pattern stands for.

    Raises:
        InputError: there is no path, or nothing matches a pattern.
    """
    expanded = []
    for path in map(str, [source] if isinstance(source, str | Path) else source):
        is_path = Path(path).exists() or not glob.has_magic(path)
        found = [path] if is_path else sorted(glob.glob(path, recursive=True))  # noqa: PTH207, an absolute one too
        if not found:
            raise InputError(f"no file matches {path}.")
        expanded += found
    if not expanded:
        raise InputError("no images are given: name files, folders or .npz files.")
    return expanded


def _open_path(path: Path, options: Options) -> Opened:
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    try:
        if is_npz(path):
            return Opened(
                _count(path, options), lambda places: _read_data_set(read_npz(path, options), path, options, places)
            )
        if path.is_dir() and is_idx(path):
            data = read_idx_folder(path, options)
            return Opened(_size(data), partial(_read_data_set, data, path, options))
        others: Counter[str] = Counter()
        files = [*images_below(path, others)] if path.is_dir() else [path]
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if not files:
        raise InputError(f"{path} contains no images.")
    return Opened(len(files), partial(_read_files, files, options))


def _count(path: Path, options: Options) -> int:
    """Return the number of images in a `.npz` file, from its headers: a worker reads only the files of its own part.

    Raises:
        InputError: as in `read_npz`.
    """
    with suppress(Exception):  # zipfile and NumPy raise a dozen kinds for damaged files; reading says what is wrong
        with zipfile.ZipFile(path) as archive:
            entries = {f"{images}.npy" for pairs in KEYS.values() for images, _ in pairs} & {*archive.namelist()}
            counts = []
            for entry in entries:
                with archive.open(entry) as stream:
                    counts.append(read_header(stream)[0][0])
        if counts and all(counts):
            return sum(counts)
    return _size(read_npz(path, options))


def _size(data: DataSet) -> int:
    return sum(len(part.images) for part in data.parts)


def _read_data_set(data: DataSet, path: Path, options: Options, places: range) -> Iterator[Piece]:
    """Yield images of a data set, the training part first, after a line if their form is another.

    Their names are their numbers, after the name of the part if there are two.
    """
    for shape in {(*part.images.shape[1:], 1)[:3] for part in data.parts} - {_form(options)}:
        found, required = ("x".join(map(str, form)) for form in (shape, _form(options)))
        say(f"{path}: images of {found} are brought to the model's {required} (fit: {options.fit})")
    first = 0
    for part_name, part in {"train/": data.train, "test/": data.test}.items():
        if part is None:
            continue
        if own := _overlap(places, first, len(part.images)):
            prefix = part_name if data.test else ""
            for piece in _read_part(part, own, data.class_names, path, options):
                names = [f"{prefix}{name}" for name in piece.names]
                yield piece._replace(names=names, places=piece.places + first)
        first += len(part.images)


def _read_part(part: Part, numbers: range, class_names: Sequence[str], path: Path, options: Options) -> Iterator[Piece]:
    assert isinstance(part.images, StoredRows)
    own = slice(numbers.start, numbers.stop)
    labels = None if part.labels is None else part.labels[own]
    images = conform(DataSet(Part(part.images.take(own), None), None, ()), options, str(path)).train.images
    for rows in pieces(len(numbers), TOGETHER):
        shown = normalize(images[rows]).reshape(-1, *_form(options))
        classes = None if labels is None else [class_names[label] for label in labels[rows]]
        yield Piece([*map(str, numbers[rows])], shown, classes, np.array(numbers[rows]))


def _read_files(every: Sequence[Path], options: Options, numbers: range) -> Iterator[Piece]:
    """Yield the images of some of the files, decoded on all cores. The class of an image is the name of its folder.

    Raises:
        InputError: a file cannot be read, unless `options.skip_unreadable`.
    """
    files = every[numbers.start : numbers.stop]
    changes: Counter[str] = Counter()
    unreadable: list[str] = []
    waiting = zip(numbers, files, strict=True)
    for pictures in decode_all([ImageFile(path, None, stamp_of(path)) for path in files], options):
        paths, images, places = [], [], []
        for picture in pictures:
            place, path = next(waiting)
            if isinstance(picture, str):
                if not options.skip_unreadable:
                    raise InputError(f"{shown(path)}: {picture}; --skip-unreadable leaves such files out.")
                unreadable.append(f"  {shown(path)}: {picture}")
                continue
            assert picture.pixels is not None
            changes.update(picture.changes)
            paths.append(path)
            places.append(place)
            images.append(normalize(with_channels(picture.pixels[np.newaxis], _form(options)[2])))
        if paths:
            names, classes = [str(path) for path in paths], [path.parent.name for path in paths]
            yield Piece(names, np.concatenate(images), classes, np.array(places))
    if changes:
        what = " and ".join(f"{count:,} {change}" for change, count in changes.items())
        say(f"of {len(files):,} images, {what} to have the model's form (fit: {options.fit})")
    if unreadable:
        more = [f"  and {len(unreadable) - SHOWN:,} more"] if len(unreadable) > SHOWN else []
        say("\n".join([f"{len(unreadable):,} images cannot be read and are left out:", *unreadable[:SHOWN], *more]))


def _form(options: Options) -> tuple[int, int, int]:
    assert options.image_size
    assert options.channels
    return (*options.image_size, options.channels)
