"""Any data set: a published one by its name, or the user's own by its path."""

from pathlib import Path

import numpy as np

from vae.data.catalogue import SOURCES, load
from vae.data.formats import FORMATS
from vae.data.formats.dataset import DataSet
from vae.data.formats.decoding import stamp_of
from vae.data.formats.folder import SHOWN
from vae.data.formats.options import Options, conform
from vae.data.preparation import LEAST
from vae.data.shards import RawImages, at_once, pieces
from vae.errors import InputError

DARK = 64
"""A largest value below which a line is printed: another number than 255 may stand for white."""
PUBLISHED = Path("data/raw")
"""The folder of the published data sets, each in a folder with its name."""


def load_data_set(dataset: str, options: Options) -> DataSet:
    """Read a data set, with all its images in the required form.

    Args:
        dataset: a name in `vae.data.catalogue.SOURCES`, or a path.
        options: what is asked of the images.

    Raises:
        InputError: as in `vae.data.catalogue.load` or the reader of the format; the path does not exist, is of no
            format in `FORMATS`, or changes meanwhile; the images differ in size, or are too small, large or few.
    """
    if dataset in SOURCES:
        return conform(load(SOURCES[dataset], PUBLISHED / dataset), options, dataset)
    path = Path(dataset)
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    try:
        kind = next((kind for kind in FORMATS.values() if kind.recognizes(path)), None)
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if kind is None:
        raise InputError(f"{path} is neither a folder nor a .npz file; unpack an archive, or name a folder of images.")
    stamp = stamp_of(path)
    data = conform(kind.read(path, options), options, str(path))
    if stamp != stamp_of(path):
        raise InputError(f"{path} changed while it was read; run this stage again.")
    _require_enough(data, path)
    return data._replace(notes=(*data.notes, *_lonely_classes(data, path), *_doubts(data.train.images, path)))


def _require_enough(data: DataSet, path: Path) -> None:
    needed = 1 + sum(part is None for part in (data.validation, data.test))
    if (count := len(data.train.images)) < needed:
        raise InputError(
            f"{path} contains {count} image{'s' * (count != 1)} to train with, but at least {LEAST} images in all are "
            "needed to train, to validate and to test with."
        )


def _lonely_classes(data: DataSet, path: Path) -> list[str]:
    """Return what is missing if the training part or the test part has no image of a class, one line each."""
    if data.train.labels is None or data.test is None or data.test.labels is None:
        return []
    train, test = (set(np.unique(labels).tolist()) for labels in (data.train.labels, data.test.labels))
    lines = []
    for only, part in ((train - test, "training"), (test - train, "test")):
        if only:
            names = ", ".join(data.class_names[label] for label in sorted(only)[:SHOWN]) + ", …" * (len(only) > SHOWN)
            which = f"{len(only):,} class{'es have' if len(only) > 1 else ' has'} images only in the {part} part"
            lines.append(f"{path}: {which}: {names}.")
    return lines


def _doubts(images: RawImages, path: Path) -> list[str]:
    """Return what makes the training images look like a mistake, one line each."""
    doubts, first, equal, largest = [], images[:1], True, 0.0
    for rows in pieces(len(images), at_once(images.shape[1:])):
        piece = images[rows]
        equal, largest = equal and bool((piece == first).all()), max(largest, piece.max())
        if not equal and (images.dtype != np.uint8 or largest >= DARK):
            break
    if equal:
        doubts.append(f"{path}: all training images are equal, so nothing can be learned, and there is no map of them.")
    if images.dtype == np.uint8 and largest < DARK:
        doubts.append(
            f"{path}: the largest value is {largest} of 255; if it stands for white, divide by it and store floats."
        )
    return doubts


def describe(dataset: str, data: DataSet) -> str:
    """Return what was found, on one line."""
    images = [part.images for part in data.parts]
    height, width, channels = (*images[0].shape, 1)[1:4]
    classes = len(data.class_names)
    labels = f"in {classes:,} class{'es' * (classes != 1)}" if classes else "without labels"
    own = {"validation": data.validation, "test": data.test}
    test = "; ".join(f"own {name} part" for name, part in own.items() if part) or "test part held out"
    return (
        f"{dataset}: {sum(map(len, images)):,} images {labels}, {height}x{width} pixels, "
        f"{channels} channel{'s' * (channels != 1)}; {test}"
    )
