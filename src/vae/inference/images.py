"""The user's images, as the model takes them, a batch at a time."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.binarization import binarize
from vae.data.formats.options import Options
from vae.errors import InputError
from vae.inference.parts import WHOLE, Part, places_of
from vae.inference.sources import Piece, Source, open_sources, read_all
from vae.model.runtime import images_at_once
from vae.model.vae import VAE

Labels = NDArray[np.int64]
SHOWN = 10
"""The largest number of classes that a message lists."""


class Batch(NamedTuple):
    """Some of the images, as the model takes them."""

    names: NDArray[np.str_]
    """(n,): the paths of files, or the numbers of rows in an array."""
    images: NDArray[np.float32]
    """(n, height, width, channels), in [0, 1]; 0 or 1 if the model's likelihood binarizes."""
    labels: Labels | None
    """(n,), indices into the model's `class_names`; None if the model is not conditional."""


class Choices(NamedTuple):
    """How images are read."""

    batch_size: int = 500
    """The largest number of images that are in memory at a time."""
    class_name: str | None = None
    """The class of all images, for a conditional model. Otherwise the class of a file is the name of its folder."""
    skip_unreadable: bool = False
    """Whether files that cannot be read are left out, with a line on stderr, instead of refused."""
    part: Part | tuple[int, int] = WHOLE
    """Which part of the images: (2, 8) is the second of eight, which begin at multiples of the batch size."""


def batches(source: Source, model: VAE, choices: Choices, title: str) -> Iterator[Batch]:
    """Yield the images of a source, with a progress bar on stderr.

    Images in files of another size are fitted as the training images were (`model.image_fit`), and get the model's
    number of channels. A line on stderr says so. If the likelihood binarizes, the pixels are drawn with a fixed seed.

    Args:
        source: images (n, height, width, channels), of uint8 or of floats in [0, 1]; or the path of an image file, of a
            folder with images at any depth, of a `.npz` file or of a folder of IDX files; or several of these, or
            patterns.
        model: the model that gets the images.
        choices: how they are read.
        title: the title of the progress bar.

    Raises:
        InputError: a path does not exist or contains no images, an image cannot be read, an array has another form, or
            a conditional model gets images without a known class, or there is no such part.
    """
    height, width, channels = model.image_shape
    if channels not in (1, 3):
        raise InputError(f"the model is for images of {channels} channels; only 1 and 3 can be read from files.")
    options = Options((height, width), 1 if channels == 1 else 3, model.image_fit, choices.skip_unreadable)  # type: ignore[arg-type]
    opened = open_sources(source, options)
    size = images_at_once(choices.batch_size, model.image_shape, model.outputs)
    places = places_of(Part(*choices.part), sum(one.total for one in opened), size)
    piece = None
    with tqdm(total=len(places), desc=title, unit="image", disable=None) as bar:
        for piece in _regrouped(read_all(opened, places), size):
            labels = _labels(piece, model, choices.class_name)
            images = _binarized(piece) if model.likelihood.binarizes else piece.images
            yield Batch(np.array(piece.names), images, labels)
            bar.update(len(piece.names))
    if piece is None:
        raise InputError("no image is left: all are unreadable.")


def _binarized(piece: Piece) -> NDArray[np.float32]:
    """Draw the pixels of each image by its place: whatever the part, and whether the images before are readable."""
    runs = np.split(np.arange(len(piece.places)), np.flatnonzero(np.diff(piece.places) != 1) + 1)
    return np.concatenate([binarize(piece.images[run], first=int(piece.places[run[0]])) for run in runs])


def _regrouped(pieces: Iterator[Piece], size: int) -> Iterator[Piece]:
    """Yield the same images in batches: each begins at a multiple of `size`, and lacks only what is unreadable."""
    waiting: list[Piece] = []
    for piece in pieces:
        batches = piece.places // size
        edges = [0, *(np.flatnonzero(np.diff(batches)) + 1), len(batches)]
        for start, stop in pairwise(edges):
            if waiting and waiting[-1].places[0] // size != batches[start]:
                yield _joined(waiting)
                waiting = []
            waiting.append(_rows(piece, slice(start, stop)))  # of an array, a view
    if waiting:
        yield _joined(waiting)


def _rows(piece: Piece, rows: slice) -> Piece:
    classes = None if piece.classes is None else piece.classes[rows]
    return Piece(piece.names[rows], piece.images[rows], classes, piece.places[rows])


def _joined(parts: Sequence[Piece]) -> Piece:
    if len(parts) == 1:
        return parts[0]
    classes = [part.classes for part in parts if part.classes is not None]
    return Piece(
        [name for part in parts for name in part.names],
        np.concatenate([part.images for part in parts]),
        [name for names in classes for name in names] if len(classes) == len(parts) else None,
        np.concatenate([part.places for part in parts]),
    )


def _labels(piece: Piece, model: VAE, class_name: str | None) -> Labels | None:
    """Return the labels of the images for a conditional model.

    Raises:
        InputError: a class is not known to the model, or is given for a model that takes none.
    """
    if class_name is not None:
        return np.full(len(piece.names), label_of(class_name, model))
    if not model.conditional:
        return None
    if piece.classes is None:
        raise InputError(
            f"the model is conditional, but the images have no classes; --class names one for all: {_known(model)}."
        )
    for name, found in zip(piece.names, piece.classes, strict=True):
        if found not in model.class_names:
            raise InputError(
                f"{name} is of the class {found!r}, which the model does not know; --class names one for all: "
                f"{_known(model)}."
            )
    return np.array([model.class_names.index(found) for found in piece.classes])


def label_of(class_name: str, model: VAE) -> int:
    """Return the label of a class of a conditional model.

    Raises:
        InputError: the model is not conditional, or has no such class.
    """
    if not model.conditional:
        raise InputError(
            f"a class is given ({class_name}), but the model is not conditional and takes none; model.conditional: "
            "true trains one that does."
        )
    if class_name not in model.class_names:
        raise InputError(f"the model has no class {class_name!r}; its classes are {_known(model)}.")
    return model.class_names.index(class_name)


def _known(model: VAE) -> str:
    more = ["…"] if len(model.class_names) > SHOWN else []
    return ", ".join([*model.class_names[:SHOWN], *more])
