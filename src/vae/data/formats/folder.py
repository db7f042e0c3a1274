"""Folders of images, decoded on all cores.

Threads are enough: Pillow decodes and filters without Python's lock, and no image is copied between processes.
"""

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from vae.data.formats.dataset import DataSet, Images, Labels, Part, indexed
from vae.data.formats.decoding import Picture, decode
from vae.data.formats.listing import ImageFile, Listing, list_images
from vae.data.formats.options import Options, require_size, with_channels
from vae.errors import InputError

SHOWN = 10
"""The largest number of files that a message names."""
TOGETHER = 32
"""Images in one task of a thread."""


def read_folder(path: Path, options: Options) -> DataSet:
    """Read a folder of images, as `vae.data.formats.listing` lists them.

    The names of the classes are the names of their folders, in the order of their code points.

    Raises:
        InputError: as in `list_images`; a file cannot be read, unless `options.skip_unreadable`; a file changes
            meanwhile; the images differ in size without `options.image_size`, or are too small or too large.
    """
    listing = list_images(path)
    pictures = _decode_all([file for files in listing.parts.values() for file in files], options)
    notes = _notes(path, listing, {file: why for file, why in pictures.items() if isinstance(why, str)}, options)
    read = {
        part: [(file, picture) for file in files if isinstance(picture := pictures[file], Picture)]
        for part, files in listing.parts.items()
    }
    for part, found in read.items():
        if not found:
            raise InputError(f"{path} has no image in its {part} part that can be read.")
    _require_one_size(path, [picture for found in read.values() for _, picture in found])
    colour = any(picture.pixels is not None and picture.pixels.ndim == 3 for f in read.values() for _, picture in f)
    channels = options.channels or (3 if colour else 1)
    labels, class_names = _labels(path, read)
    parts = {
        part: Part(_stack([picture for _, picture in found], channels), labels.get(part))
        for part, found in read.items()
    }
    return DataSet(parts["train"], parts.get("test"), class_names, parts.get("validation"), notes)


def _decode_all(files: Sequence[ImageFile], options: Options) -> dict[ImageFile, Picture | str]:
    """Return each file's image, or the reason why it cannot be read."""

    def decode_some(some: Sequence[ImageFile]) -> list[Picture | str]:
        return [_why_not_a_file(f.path) if f.stamp is None else decode(f.path, f.stamp, options) for f in some]

    pieces = [files[start : start + TOGETHER] for start in range(0, len(files), TOGETHER)]
    pictures: list[Picture | str] = []
    executor = ThreadPoolExecutor(os.cpu_count())
    with warnings.catch_warnings(), tqdm(total=len(files), unit="image", disable=None) as bar:
        warnings.simplefilter("ignore")  # Pillow's about metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            for some in executor.map(decode_some, pieces):
                pictures += some
                bar.update(len(some))
        finally:
            executor.shutdown(cancel_futures=True)  # after an error or Ctrl-C
    return dict(zip(files, pictures, strict=True))


def _why_not_a_file(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return f"it is a link to {os.readlink(path)}, which does not exist"  # noqa: PTH115, as written
    return "it is not a file"


def _notes(path: Path, listing: Listing, unreadable: dict[ImageFile, str], options: Options) -> tuple[str, ...]:
    """Return sentences on what is left out.

    Raises:
        InputError: files cannot be read, and may not be left out.
    """
    notes = []
    if count := listing.others.total():
        notes.append(f"{path}: {count:,} files that are not images are left out.")
    if unreadable:
        lines = [f"  {shown(file.path)}: {why}" for file, why in [*unreadable.items()][:SHOWN]]
        if len(unreadable) > SHOWN:
            lines.append(f"  and {len(unreadable) - SHOWN:,} more")
        count, total = len(unreadable), sum(map(len, listing.parts.values()))
        if not options.skip_unreadable:
            what = (
                f"{path}: {count:,} of {total:,} images cannot be read (prepare.skip_unreadable: true leaves them out):"
            )
            raise InputError("\n".join([what, *lines]))
        notes.append("\n".join([f"{path}: {count:,} of {total:,} images cannot be read and are left out:", *lines]))
    return tuple(notes)


def shown(path: Path) -> str:
    """Return a path on one line, with what cannot be printed escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))


def _require_one_size(path: Path, pictures: list[Picture]) -> None:
    sizes = Counter((picture.height, picture.width) for picture in pictures)
    if len(sizes) > 1:
        ordered = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        largest = [f"{count:,} of {height}x{width}" for (height, width), count in ordered[: SHOWN // 2]]
        more = [f"{len(sizes) - len(largest):,} other sizes"] if len(sizes) > len(largest) else []
        found = ", ".join([*largest, *more])
        raise InputError(
            f"{path} has images of {len(sizes):,} sizes ({found}); set prepare.image_size to [height, width]."
        )
    require_size(*next(iter(sizes)), str(path))


def _stack(pictures: list[Picture], channels: int) -> Images:
    """Return images as one array: of levels if all are levels, or else of numbers from 0 to 1."""
    arrays: list[NDArray[Any]] = [
        with_channels(picture.pixels[np.newaxis], channels) for picture in pictures if picture.pixels is not None
    ]
    if any(array.dtype == np.float32 for array in arrays):
        arrays = [a if a.dtype == np.float32 else a.astype(np.float32) / np.float32(255) for a in arrays]
    return np.concatenate(arrays)


def _labels(path: Path, read: dict[str, list[tuple[ImageFile, Picture]]]) -> tuple[dict[str, Labels], tuple[str, ...]]:
    """Return the labels of each part and the names of the classes; nothing without folders by class."""
    names = {part: [file.class_name for file, _ in found] for part, found in read.items()}
    if None in names["train"]:
        return {}, ()
    labels, class_names = indexed([np.array(some, np.str_) for some in names.values()], str(path))
    return dict(zip(names, labels, strict=True)), class_names
