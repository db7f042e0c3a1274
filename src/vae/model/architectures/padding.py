"""The rows and columns that an image lacks where an architecture needs particular sizes."""

from vae.errors import InputError

SIZES = range(8, 257)
"""The heights and widths for which the convolutional architectures have layers."""


def padding_to_multiple(
    image_shape: tuple[int, int, int], multiple: int, *, smallest: int = 0, architecture: str
) -> tuple[int, int]:
    """Return the rows and columns between an image and the next size that fits.

    Args:
        image_shape: (height, width, channels).
        multiple: a size that fits is a multiple of this.
        smallest: the smallest size that fits, itself a multiple.
        architecture: its name for the message.

    Raises:
        InputError: the height or the width is not in `SIZES`.
    """
    height, width, _ = image_shape
    if height not in SIZES or width not in SIZES:
        raise InputError(
            f"images have {height}x{width} pixels, but {architecture} needs a height and a width from {SIZES[0]} to "
            f"{SIZES[-1]}."
        )
    return max(smallest - height, -height % multiple), max(smallest - width, -width % multiple)
