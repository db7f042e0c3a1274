"""One image file to levels of grey or colour, as a person sees it."""

import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vae.data.formats.dataset import Pixels
from vae.data.formats.options import MAX_SIDE, Options, fitted, to_array
from vae.errors import InputError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF")
"""Pillow's decoders that are used, whatever the suffix."""
Image.init()  # registers them
GREY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
CONVERTED = ("CMYK", "YCbCr", "HSV", "RGBX")
"""Pillow's modes that it converts to RGB itself."""
DECODED_SIDES = 2
"""A JPEG that is reduced is decoded at a size at least so many times the required one, which is much faster."""


class Picture(NamedTuple):
    """A decoded image."""

    height: int
    width: int
    pixels: Pixels | None
    """(height, width) or (height, width, 3); None if it is larger than any that can be used."""
    changes: tuple[str, ...] = ()
    """What was done to bring it into the required form: `resized`, `made grey`."""


def decode(path: Path, stamp: tuple[int, int], options: Options) -> Picture | str:
    """Read an image file, and fit it into the required size.

    A rotation in the EXIF data is applied, a palette is resolved, transparent areas become white, 16-bit grey is
    divided by 65,535. Without `options.channels`, an image whose three channels are equal is grey.

    Args:
        path: the file.
        stamp: its size and time of change when it was listed.
        options: what is asked of the image.

    Returns:
        The image, or the reason why it cannot be read, as the end of a sentence.

    Raises:
        InputError: the file has changed since it was listed.
    """
    try:
        with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
            picture: Picture | str = _picture(image, options)
    except UnidentifiedImageError:
        picture = "it is not an image in one of these formats, or is damaged" if stamp[0] else "it is empty"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        picture = f"it has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels"
    except OSError as error:
        picture = f"it cannot be read: {error.strerror}" if error.strerror else _reason(error)
    except Exception as error:  # Pillow raises a dozen kinds for damaged files, even MemoryError
        picture = _reason(error)
    if stamp != stamp_of(path):
        raise InputError(f"{path} changed while it was read; run this stage again.")
    return picture


def stamp_of(path: Path) -> tuple[int, int] | None:
    """Return a file's size and time of change, or None if it cannot be found or is not a file."""
    with suppress(OSError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            return found.st_size, found.st_mtime_ns
    return None


def _picture(image: Image.Image, options: Options) -> Picture:
    if options.image_size is not None and image.format == "JPEG":
        side = DECODED_SIDES * max(options.image_size)
        image.draft(None, (side, side))
    upright = ImageOps.exif_transpose(image)  # decodes it, and the first frame of several
    plain, changes = _plain(upright), []
    if options.image_size not in (None, (plain.height, plain.width)):
        changes.append("resized")
    if options.channels == 1 and plain.mode == "RGB":
        if _is_coloured(plain):
            changes.append("made grey")
        plain = plain.convert("L")
    if options.image_size is None and max(plain.size) > MAX_SIDE:
        return Picture(plain.height, plain.width, None)
    pixels = to_array(fitted(plain, options))
    if options.channels is None and pixels.ndim == 3 and np.all(pixels[..., :2] == pixels[..., 1:]):
        pixels = pixels[..., 0]
    return Picture(pixels.shape[0], pixels.shape[1], pixels, tuple(changes))


def _is_coloured(image: Image.Image) -> bool:
    red, *others = image.split()
    return any(channel.tobytes() != red.tobytes() for channel in others)


def _plain(image: Image.Image) -> Image.Image:
    """Return the image in mode L or RGB, or F with numbers from 0 to 1."""
    if image.mode in GREY_16_BIT:
        return Image.fromarray(np.asarray(image).astype(np.float32) / np.float32(65535))
    if image.has_transparency_data or image.mode in ("LA", "La", "PA", "RGBa"):
        visible = image.convert("RGBa").convert("RGBA") if image.mode == "RGBa" else image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, visible).convert("RGB")
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P" or image.mode in CONVERTED:
        return image.convert("RGB")
    if image.mode == "F":
        _require_unit_range(np.asarray(image))
    elif image.mode not in ("L", "RGB"):
        raise InputError(f"its pixels are in the mode {image.mode}, but must be 8-bit or 16-bit grey, or 8-bit colour")
    return image


def _require_unit_range(values: Pixels) -> None:
    lowest, highest = float(values.min()), float(values.max())
    if not (lowest >= 0 and highest <= 1):
        raise InputError(f"it has floating-point values from {lowest:g} to {highest:g}, but must be within 0 and 1")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
