"""Folders of images, decoded on all cores.

Threads are enough: Pillow decodes and filters without Python's lock, and no image is copied between processes.
"""

import os
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from vae.data.formats.dataset import DataSet, Labels, Part, Pixels
from vae.data.formats.decoding import Picture, decode
from vae.data.formats.labels import indexed
from vae.data.formats.listing import ImageFile, Listing, list_images
from vae.data.formats.options import Options, require_size, with_channels
from vae.data.formats.spool import Spool, spooled
from vae.data.shards import normalize
from vae.errors import InputError
from vae.io.stored import StoredRows

SHOWN = 10
"""The largest number of files that a message names."""
TOGETHER, AHEAD = 32, 16
"""Images in one task of a thread, and tasks that are finished or under way at a time."""


class Kept(NamedTuple):
    """A decoded image in the temporary file."""

    shape: tuple[int, ...]
    """(height, width) or (height, width, 3)."""
    dtype: np.dtype[Any]
    offset: int


def read_folder(path: Path, options: Options) -> DataSet:
    """Read a folder of images, as `vae.data.formats.listing` lists them.

    The names of the classes are the names of their folders, in the order of their code points.

    Raises:
        InputError: as in `list_images`; a file cannot be read, unless `options.skip_unreadable`; a file changes
            meanwhile; the images differ in size without `options.image_size`, or are too small or too large.
        OSError: as in `vae.data.formats.spool.Spool.write`.
    """
    listing, spool = list_images(path), Spool()
    files = [(part, file) for part, some in listing.parts.items() for file in some]
    found = list(zip(files, _keep_all([file for _, file in files], spool, options), strict=True))
    notes = _notes(path, listing, {file.path: kept for (_, file), kept in found if isinstance(kept, str)}, options)
    read: dict[str, list[tuple[str | None, Kept]]] = {part: [] for part in listing.parts}
    for (part, file), kept in found:
        if isinstance(kept, Kept):
            read[part].append((file.class_name, kept))
    for part, images in read.items():
        if not images:
            raise InputError(f"{path} has no image in its {part} part that can be read.")
    everything = [kept for images in read.values() for _, kept in images]
    _require_one_size(path, everything)
    channels = options.channels or (3 if any(len(kept.shape) == 3 for kept in everything) else 1)
    dtype = np.dtype(np.float32 if any(kept.dtype == np.float32 for kept in everything) else np.uint8)
    labels, class_names = _labels(path, {part: [name for name, _ in images] for part, images in read.items()})
    parts = {
        part: Part(_alike([kept for _, kept in images], spool, channels, dtype), labels.get(part))
        for part, images in read.items()
    }
    return DataSet(parts["train"], parts.get("test"), class_names, parts.get("validation"), notes)


def _keep_all(files: Sequence[ImageFile], spool: Spool, options: Options) -> list[Kept | str]:
    """Write each file's image into the temporary file; return where, or the reason why it cannot be read."""

    def keep(picture: Picture | str) -> Kept | str:
        if isinstance(picture, str):
            return picture
        if picture.pixels is None:
            return Kept((picture.height, picture.width), np.dtype(np.uint8), 0)
        return Kept(picture.pixels.shape, picture.pixels.dtype, spool.write(picture.pixels))

    with tqdm(total=len(files), unit="image", disable=None) as bar:
        kept: list[Kept | str] = []
        for some in decode_all(files, options):
            kept += map(keep, some)
            bar.update(len(some))
    return kept


def decode_all(files: Sequence[ImageFile], options: Options) -> Iterator[list[Picture | str]]:
    """Yield the images of some files at a time, in order; of a file that cannot be read, the reason."""

    def decode_some(some: Sequence[ImageFile]) -> list[Picture | str]:
        return [_why_not_a_file(f.path) if f.stamp is None else decode(f.path, f.stamp, options) for f in some]

    waiting: deque[Future[list[Picture | str]]] = deque()
    executor = ThreadPoolExecutor(os.cpu_count())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            for start in range(0, len(files), TOGETHER):
                waiting.append(executor.submit(decode_some, files[start : start + TOGETHER]))
                if len(waiting) > AHEAD:  # no more images than that are in memory
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            executor.shutdown(cancel_futures=True)  # after an error or Ctrl-C


def _why_not_a_file(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return f"it is a link to {os.readlink(path)}, which does not exist"  # noqa: PTH115, as written
    return "it is not a file"


def _notes(path: Path, listing: Listing, unreadable: dict[Path, str], options: Options) -> tuple[str, ...]:
    """Return sentences on what is left out.

    Raises:
        InputError: files cannot be read, and may not be left out.
    """
    notes = []
    if count := listing.others.total():
        notes.append(f"{path}: {count:,} files that are not images are left out.")
    if count := len(listing.empty):
        names = ", ".join(shown(Path(folder.name)) for folder in listing.empty[:SHOWN]) + ", …" * (count > SHOWN)
        notes.append(f"{path}: {count:,} folder{'s' * (count != 1)} without images: {names}.")
    if unreadable:
        lines = [f"  {shown(file)}: {why}" for file, why in [*unreadable.items()][:SHOWN]]
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


def _require_one_size(path: Path, images: list[Kept]) -> None:
    sizes = Counter((kept.shape[0], kept.shape[1]) for kept in images)
    if len(sizes) > 1:
        ordered = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        largest = [f"{count:,} of {height}x{width}" for (height, width), count in ordered[: SHOWN // 2]]
        more = [f"{len(sizes) - len(largest):,} other sizes"] if len(sizes) > len(largest) else []
        found = ", ".join([*largest, *more])
        raise InputError(
            f"{path} has images of {len(sizes):,} sizes ({found}); set prepare.image_size to [height, width]."
        )
    require_size(*next(iter(sizes)), str(path))


def _alike(images: list[Kept], spool: Spool, channels: int, dtype: np.dtype[Any]) -> StoredRows:
    """Return the images as one array: (n, height, width) of grey, or (n, height, width, 3)."""
    shape = (*images[0].shape[:2], 3)[: 2 if channels == 1 else 3]
    if all(kept.shape == shape and kept.dtype == dtype for kept in images):
        return spool.rows([kept.offset for kept in images], shape, dtype)

    def changed() -> Iterator[Pixels]:
        for kept in images:
            (pixels,) = with_channels(spool.rows([kept.offset], kept.shape, kept.dtype)[:], channels)
            pixels = pixels.reshape(1, *shape)
            yield normalize(pixels) if dtype == np.float32 else pixels

    return spooled(changed())


def _labels(path: Path, names: dict[str, list[str | None]]) -> tuple[dict[str, Labels], tuple[str, ...]]:
    """Return the labels of each part and the names of the classes; nothing without folders by class."""
    if None in names["train"]:
        return {}, ()
    labels, class_names = indexed([np.array(some, np.str_) for some in names.values()], str(path))
    return dict(zip(names, labels, strict=True)), class_names
