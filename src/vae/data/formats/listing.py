"""The image files in a folder: in one folder, in folders by class, or in `train` and `test` with either."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vae.data.formats.decoding import stamp_of
from vae.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif")
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The part of the data set that a folder contains, by the folder's name in lower case."""
IGNORED = ("__macosx", "thumbs.db", "desktop.ini")
"""What file managers leave behind, besides hidden files."""


class ImageFile(NamedTuple):
    """A file with the suffix of an image."""

    path: Path
    class_name: str | None
    """The folder of its class; None without classes."""
    stamp: tuple[int, int] | None
    """Its size and time of change; None if it is not a file."""


class Listing(NamedTuple):
    """The files of a data set."""

    parts: dict[str, list[ImageFile]]
    """By `train`, `validation` and `test`, in the order of their names."""
    others: Counter[str]
    """How many other files there are, by suffix."""
    empty: list[Path]
    """The folders without images where the classes are, and which are therefore no classes."""


def list_images(folder: Path) -> Listing:
    """Return the image files in a folder, without reading them.

    Hidden files and what file managers leave behind are passed over. Links are followed. Files are in the order of the
    code points of their names, so that the locale and the file system do not matter.

    Raises:
        InputError: there are no images, images lie next to folders of images, a link leads back to a folder around it,
            the names of two classes look the same, or a folder cannot be read.
    """
    others: Counter[str] = Counter()
    empty: list[Path] = []
    roots = _roots(folder)
    parts = {part: _part(root, others, empty) for part, root in roots.items()}
    for part, root in roots.items():
        if not parts[part]:
            raise InputError(f"{root} contains no images{_instead(others)}; {', '.join(SUFFIXES)} are read.")
    if len({files[0].class_name is None for files in parts.values()}) > 1:
        raise InputError(
            f"{folder} has folders by class in only some of {', '.join(root.name for root in roots.values())}."
        )
    _require_clear_names({file.class_name for files in parts.values() for file in files if file.class_name}, folder)
    return Listing(parts, others, empty)


def _roots(folder: Path) -> dict[str, Path]:
    """Return the folder of each part: the folder itself, unless it contains only `train`, `test` and the like."""
    folders, images = _entries(folder, Counter())
    names = [PARTS.get(path.name.lower()) for path in folders]
    if not folders or images or None in names:
        return {"train": folder}
    roots = {str(part): path for part, path in zip(names, folders, strict=True)}
    if len(roots) < len(folders):
        raise InputError(f"{folder} contains two folders for one part: {', '.join(path.name for path in folders)}.")
    if "train" not in roots:
        raise InputError(f"{folder} contains {' and '.join(path.name for path in folders)}, but no folder train.")
    return {part: roots[part] for part in ("train", "validation", "test") if part in roots}


def _part(root: Path, others: Counter[str], empty: list[Path]) -> list[ImageFile]:
    folders, images = _entries(root, others)
    flat = [ImageFile(path, None, stamp_of(path)) for path in images]
    classes: list[ImageFile] = []
    for folder in folders:
        found = [
            ImageFile(path, folder.name, stamp_of(path))
            for path in images_below(folder, others, (os.path.realpath(root),))
        ]
        empty += [] if found else [folder]
        classes += found
    if flat and classes:
        raise InputError(
            f"{root} contains images ({flat[0].path.name}) next to folders of images ({classes[0].class_name}): put "
            "all images into folders, one for each class, or none."
        )
    return flat or classes


def images_below(folder: Path, others: Counter[str], around: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield the images in a folder at any depth, by name; count the other files.

    Args:
        folder: the folder.
        others: how many other files there are, by suffix.
        around: the real paths of the folders that contain it.

    Raises:
        InputError: a link leads back to a folder around it, or a folder cannot be read.
    """
    real = os.path.realpath(folder)
    if real in around:
        raise InputError(f"{folder} is a link to a folder that contains it; remove the link.")
    folders, images = _entries(folder, others)
    yield from images
    for inner in folders:
        yield from images_below(inner, others, (*around, real))


def _entries(folder: Path, others: Counter[str]) -> tuple[list[Path], list[Path]]:
    """Return the folders and the image files in a folder, by name; count the other files."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208, faster than paths
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from None
    folders, images = [], []
    for name in names:
        if name.startswith(".") or name.lower() in IGNORED:
            continue
        path = folder / name
        if path.is_dir():
            folders.append(path)
        elif path.suffix.lower() in SUFFIXES:
            images.append(path)
        else:
            others[path.suffix.lower()] += 1
    return folders, images


def _instead(others: Counter[str]) -> str:
    """Return what a folder without images contains, as part of a sentence."""
    if not others:
        return ""
    suffixes = ", ".join(suffix or "no suffix" for suffix, _ in others.most_common(3))
    return f", but {others.total():,} other files ({suffixes})"


def _require_clear_names(names: set[str], folder: Path) -> None:
    seen: dict[str, str] = {}
    for name in sorted(names):
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
            raise InputError(f"{folder} contains a folder whose name cannot be shown: {name!a}; rename it.")
        if (other := seen.setdefault(unicodedata.normalize("NFC", name), name)) != name:
            raise InputError(
                f"{folder} contains two folders whose names look the same, {name} ({other!a} and {name!a}); rename one."
            )
