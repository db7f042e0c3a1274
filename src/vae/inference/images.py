"""The user's images, as the model takes them, a batch at a time."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.binarization import binarize
from vae.data.formats.options import Options
from vae.errors import InputError
from vae.inference.sources import Piece, Source, open_sources
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
            a conditional model gets images without a known class.
    """
    height, width, channels = model.image_shape
    if channels not in (1, 3):
        raise InputError(f"the model is for images of {channels} channels; only 1 and 3 can be read from files.")
    options = Options((height, width), 1 if channels == 1 else 3, model.image_fit, choices.skip_unreadable)  # type: ignore[arg-type]
    opened, done = open_sources(source, options), 0
    size = images_at_once(choices.batch_size, model.image_shape, model.outputs)
    with tqdm(total=sum(part.total for part in opened), desc=title, unit="image", disable=None) as bar:
        for piece in _regrouped(chain.from_iterable(part.pieces for part in opened), size):
            labels = _labels(piece, model, choices.class_name)
            images = binarize(piece.images, first=done) if model.likelihood.binarizes else piece.images
            yield Batch(np.array(piece.names), images, labels)
            done += len(piece.names)
            bar.update(len(piece.names))
    if not done:
        raise InputError("no image is left: all are unreadable.")


def _regrouped(pieces: Iterator[Piece], size: int) -> Iterator[Piece]:
    """Yield the same images in pieces of `size`; the last may be smaller."""
    waiting: list[Piece] = []
    count = 0
    for piece in pieces:
        for start in range(0, len(piece.names), size):  # of an array, views of a piece
            waiting.append(_rows(piece, slice(start, start + size)))
            count += len(waiting[-1].names)
            if count >= size:
                together = _joined(waiting)
                yield _rows(together, slice(size))
                waiting, count = [_rows(together, slice(size, None))], count - size
    if count:
        yield _joined(waiting)


def _rows(piece: Piece, rows: slice) -> Piece:
    return Piece(piece.names[rows], piece.images[rows], None if piece.classes is None else piece.classes[rows])


def _joined(parts: Sequence[Piece]) -> Piece:
    if len(parts) == 1:
        return parts[0]
    classes = [part.classes for part in parts if part.classes is not None]
    return Piece(
        [name for part in parts for name in part.names],
        np.concatenate([part.images for part in parts]),
        [name for names in classes for name in names] if len(classes) == len(parts) else None,
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
