"""How images are brought to one size and one number of channels."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from tqdm import tqdm

from vae.data.formats.dataset import DataSet, Part, Pixels
from vae.data.formats.spool import spooled
from vae.data.shards import at_once, pieces
from vae.errors import InputError

MIN_SIDE, MAX_SIDE = 8, 256
"""The smallest and the largest height and width of an image."""


class Options(NamedTuple):
    """What is asked of the images."""

    image_size: tuple[int, int] | None = None
    """Height and width; None keeps the size that all images have."""
    channels: Literal[1, 3] | None = None
    """None keeps what is found: 1 if every image is grey, or else 3."""
    fit: Literal["pad", "crop", "stretch"] = "pad"
    """How an image of another shape is fitted into the size."""
    skip_unreadable: bool = False
    """Whether files that cannot be read are left out, instead of refused."""


def fitted(image: Image.Image, options: Options) -> Image.Image:
    """Return an image of mode L, RGB or F in the required size; Lanczos' filter, black bars."""
    if options.image_size is None or options.image_size == (image.height, image.width):
        return image
    height, width = options.image_size
    if options.fit == "stretch":
        return image.resize((width, height), Image.Resampling.LANCZOS)
    if options.fit == "crop":
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    scale = min(height / image.height, width / image.width)
    inner = [max(1, round(side * scale)) for side in image.size]
    padded = Image.new(image.mode, (width, height))
    corner = (width - inner[0]) // 2, (height - inner[1]) // 2
    padded.paste(image.resize((inner[0], inner[1]), Image.Resampling.LANCZOS), corner)
    return padded


def to_array(image: Image.Image) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return the levels of an image of mode L or RGB, or the numbers of one of mode F, from 0 to 1."""
    if image.mode == "F":  # Lanczos' filter may overshoot
        return np.clip(np.asarray(image, np.float32), 0, 1)
    return np.asarray(image)


def with_channels(images: Pixels, channels: int) -> Pixels:
    """Return images of any shape as (n, height, width, channels): grey is repeated, colour becomes its luma."""
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        colour: NDArray[Any] = np.repeat(images, 3, axis=-1)
        return colour
    luma = images.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return (np.rint(luma).astype(np.uint8) if images.dtype == np.uint8 else np.clip(luma, 0, 1))[..., np.newaxis]


def conform(data: DataSet, options: Options, where: str) -> DataSet:
    """Bring all images of a data set to the required size and channels, and check their size.

    Returns:
        The data set; images that are in the required form are the same arrays.

    Raises:
        InputError: the parts differ in shape, or the images are too small or too large.
    """
    shapes = {options.image_size or part.images.shape[1:3] for part in data.parts}
    if len(shapes) > 1:
        found = " and ".join(f"{height}x{width}" for height, width in sorted(shapes))
        raise InputError(f"{where} has parts with images of {found} pixels; set prepare.image_size to one size.")
    ((height, width),) = shapes
    require_size(height, width, where)
    channels = options.channels or max(_channels(part) for part in data.parts)
    validation, test = (part and _conformed(part, channels, options) for part in (data.validation, data.test))
    return data._replace(train=_conformed(data.train, channels, options), validation=validation, test=test)


def require_size(height: int, width: int, where: str) -> None:
    """Refuse images that no model here is made for.

    Raises:
        InputError: a side is shorter than `MIN_SIDE` or longer than `MAX_SIDE`.
    """
    if not (MIN_SIDE <= height <= MAX_SIDE and MIN_SIDE <= width <= MAX_SIDE):
        raise InputError(
            f"{where} has images of {height}x{width} pixels, but each side must be from {MIN_SIDE} to {MAX_SIDE}; "
            "set prepare.image_size, for example to [64, 64]."
        )


def _channels(part: Part) -> int:
    return part.images.shape[3] if part.images.ndim == 4 else 1


def _conformed(part: Part, channels: int, options: Options) -> Part:
    images = part.images
    if _channels(part) == channels and options.image_size in (None, images.shape[1:3]):
        return part
    together = min(at_once((*size, 3)) for size in (images.shape[1:3], options.image_size or images.shape[1:3]))
    with tqdm(total=len(images), desc="resize", unit="image", disable=None) as bar:

        def changed() -> Iterator[NDArray[Any]]:
            for rows in pieces(len(images), together):
                piece = with_channels(images[rows], channels)
                resized: list[NDArray[Any]] = [_resized(image, options) for image in piece]
                yield np.stack(resized)
                bar.update(len(piece))

        return part._replace(images=spooled(changed()))


def _resized(image: Pixels, options: Options) -> Pixels:
    """Resize one array, (height, width, channels); each channel of its own if it is of floats."""
    if options.image_size in (None, image.shape[:2]):
        return image
    if image.dtype == np.float32 or image.shape[2] == 1:
        channels: list[NDArray[Any]] = [
            to_array(fitted(Image.fromarray(np.ascontiguousarray(channel)), options))
            for channel in np.moveaxis(image, -1, 0)
        ]
        return np.stack(channels, axis=-1)
    return to_array(fitted(Image.fromarray(np.ascontiguousarray(image)), options))
