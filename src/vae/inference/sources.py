"""Where the user's images come from: files, folders, patterns, `.npz` files, IDX folders and arrays, read piecewise."""

import glob
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.formats.dataset import DataSet
from vae.data.formats.decoding import stamp_of
from vae.data.formats.folder import SHOWN, decode_all, shown
from vae.data.formats.idx_folder import is_idx, read_idx_folder
from vae.data.formats.listing import ImageFile, images_below
from vae.data.formats.npz import is_npz, read_npz
from vae.data.formats.options import Options, conform, with_channels
from vae.data.shards import normalize, pieces
from vae.errors import InputError
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


class Opened(NamedTuple):
    """A source whose images are read when they are asked for."""

    pieces: Iterator[Piece]
    total: int
    """The number of images, unreadable ones included."""


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
    return [_open_path(Path(path), options) for path in _expanded(source)]


def say(line: str) -> None:
    """Print a line on stderr, above a progress bar: stdout may be a table."""
    tqdm.write(line, file=sys.stderr)


def _open_array(array: NDArray[Any], options: Options) -> Opened:
    images = normalize(array) if array.dtype == np.uint8 else array
    images = check_images(images[..., np.newaxis] if images.ndim == 3 else images, _form(options))
    return Opened(iter([Piece([str(number) for number in range(len(images))], images, None)]), len(images))


def _expanded(source: Sequence[Path | str] | Path | str) -> list[str]:
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
            return _open_data_set(read_npz(path, options), path, options)
        if path.is_dir() and is_idx(path):
            return _open_data_set(read_idx_folder(path, options), path, options)
        others: Counter[str] = Counter()
        files = [*images_below(path, others)] if path.is_dir() else [path]
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if not files:
        raise InputError(f"{path} contains no images.")
    return Opened(_read_files(files, options), len(files))


def _open_data_set(data: DataSet, path: Path, options: Options) -> Opened:
    """Return the images of a data set, the training part first, after a line if their form is another."""
    for shape in {(*part.images.shape[1:], 1)[:3] for part in data.parts} - {_form(options)}:
        found, required = ("x".join(map(str, form)) for form in (shape, _form(options)))
        say(f"{path}: images of {found} are brought to the model's {required} (fit: {options.fit})")
    data = conform(data, options, str(path))
    return Opened(_read_data_set(data, options), sum(len(part.images) for part in data.parts))


def _read_data_set(data: DataSet, options: Options) -> Iterator[Piece]:
    """Yield the images; their names are their numbers, after the name of the part if there are two."""
    for part_name, part in {"train/": data.train, "test/": data.test}.items():
        if part is None:
            continue
        for rows in pieces(len(part.images), TOGETHER):
            images = normalize(part.images[rows]).reshape(-1, *_form(options))
            prefix, numbers = part_name if data.test else "", range(rows.start, rows.start + len(images))
            classes = None if part.labels is None else [data.class_names[label] for label in part.labels[rows]]
            yield Piece([f"{prefix}{number}" for number in numbers], images, classes)


def _read_files(files: Sequence[Path], options: Options) -> Iterator[Piece]:
    """Yield the images of files, decoded on all cores. The class of an image is the name of its folder.

    Raises:
        InputError: a file cannot be read, unless `options.skip_unreadable`.
    """
    changes: Counter[str] = Counter()
    unreadable: list[str] = []
    waiting = iter(files)
    for pictures in decode_all([ImageFile(path, None, stamp_of(path)) for path in files], options):
        paths, images = [], []
        for picture in pictures:
            path = next(waiting)
            if isinstance(picture, str):
                if not options.skip_unreadable:
                    raise InputError(f"{shown(path)}: {picture}; --skip-unreadable leaves such files out.")
                unreadable.append(f"  {shown(path)}: {picture}")
                continue
            assert picture.pixels is not None
            changes.update(picture.changes)
            paths.append(path)
            images.append(normalize(with_channels(picture.pixels[np.newaxis], _form(options)[2])))
        if paths:
            yield Piece([str(path) for path in paths], np.concatenate(images), [path.parent.name for path in paths])
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
