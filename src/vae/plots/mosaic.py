"""Images of equal size next to each other in one pair of axes, one tile each."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from vae.data.shards import Images
from vae.plots.examples import spread
from vae.plots.style import SMALL

TILE = 0.8
"""The width of a square tile in inches, from which the size of a figure is computed. No tile is narrower: texts fit."""
LONGEST = 1.5
"""The longer side of a tile, in shorter sides; an image that is longer has blank margins."""
SMOOTH_FROM = 49
"""The height or width of images, in pixels, from which on they are drawn smoothly: their pixels need not be seen."""
LOOKED_AT = 2**23
"""The most values of images that tell drawings from photographs; MNIST's test images have fewer."""
INK, PHOTO = "gray_r", "gray"
"""The colours of images of one channel: 0 is white and 1 black, or the other way round."""


def grey_colors(images: Images) -> str:
    """Return `INK` for images, (n, height, width, channels), of which at least a quarter is empty, else `PHOTO`.

    Rows and columns that are empty in the whole of an image do not count: they may be the bars around a photograph. Of
    many images, some at equal distances are looked at.
    """
    rows = spread(np.arange(len(images)), max(1, LOOKED_AT // math.prod(images.shape[1:])))
    filled = images[rows].max(axis=-1) > 0
    inside = filled.max(axis=2, keepdims=True) & filled.max(axis=1, keepdims=True)
    return INK if np.mean(filled, where=inside) <= 0.75 else PHOTO


def tile_size(images: NDArray[np.floating[Any]], square: float = TILE) -> tuple[float, float]:
    """Return the width and the height in inches of the tile of an image (…, height, width, channels).

    Args:
        images: the images.
        square: the width of a square tile. An image that is not square has the same width or, if it is wide, more.
    """
    height, width = images.shape[-3:-1]
    ratio = min(max(width / height, 1 / LONGEST), LONGEST)
    across = square * max(1, math.sqrt(ratio))
    return across, across / ratio


def mosaic(
    axes: Axes,
    images: NDArray[np.floating[Any]],
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
    grey: str = INK,
) -> None:
    """Draw the images in their rows and columns.

    The center of tile (row, column) is at x = column, y = row; the y axis points down.

    Args:
        axes: empty axes.
        images: (rows, columns, height, width, channels), in [0, 1]; NaN leaves a tile blank.
        columns: labels below, one per column, or none.
        rows: labels to the left, one per row, or none.
        grey: the colours of images of one channel, `INK` or `PHOTO`.
    """
    tile(axes, images, grey)
    height, width = images.shape[:2]
    axes.set_xticks(np.arange(len(columns)), columns, fontsize=SMALL)
    axes.set_yticks(np.arange(len(rows)), rows, fontsize=SMALL)
    axes.set_xticks(np.arange(width + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(height + 1) - 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    axes.grid(which="minor", color="#cccccc", linewidth=0.8)
    axes.spines[:].set_visible(False)


def tile(axes: Axes, images: NDArray[np.floating[Any]], cmap: str) -> AxesImage:
    """Draw images joined without gaps, with NaN transparent, pixel by pixel unless they are large.

    Args:
        axes: the axes, which may show other tiles already.
        images: (rows, columns, height, width, channels), in [0, 1], with one channel, or three for RGB.
        cmap: the colours of one channel.
    """
    images = _with_margins(images)
    rows, columns, height, width, channels = images.shape
    joined = images.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
    if channels == 1:
        shown = joined[..., 0]
    else:
        opaque = ~np.isnan(joined).any(axis=-1, keepdims=True)
        shown = np.concatenate([np.nan_to_num(joined), opaque], axis=-1, dtype=joined.dtype)
    extent, aspect = (-0.5, columns - 0.5, rows - 0.5, -0.5), height / width
    smooth = "auto" if max(height, width) >= SMOOTH_FROM else "nearest"
    return axes.imshow(shown, cmap, aspect=aspect, vmin=0, vmax=1, extent=extent, interpolation=smooth)


def _with_margins(images: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Add blank margins to images (rows, columns, height, width, channels) that are longer than `LONGEST`."""
    height, width = images.shape[2:4]
    missing = (max(0, math.ceil(width / LONGEST) - height), max(0, math.ceil(height / LONGEST) - width))
    if not any(missing):
        return images
    margins = [(0, 0), (0, 0), *((size // 2, size - size // 2) for size in missing), (0, 0)]
    return np.pad(images, margins, constant_values=np.nan)
