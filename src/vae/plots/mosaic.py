"""Images of equal size next to each other in one pair of axes, one tile each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from vae.plots.style import SMALL

TILE = 0.8
"""The width of a tile in inches, from which the size of a figure is computed."""


def mosaic(
    axes: Axes, images: NDArray[np.floating[Any]], columns: Sequence[str] = (), rows: Sequence[str] = ()
) -> None:
    """Draw the images in their rows and columns: grey ones dark on light, with 0 white and 1 black.

    The center of tile (row, column) is at x = column, y = row; the y axis points down.

    Args:
        axes: empty axes.
        images: (rows, columns, height, width, channels), in [0, 1]; NaN leaves a tile blank.
        columns: labels below, one per column, or none.
        rows: labels to the left, one per row, or none.
    """
    tile(axes, images, "gray_r")
    height, width = images.shape[:2]
    axes.set_xticks(np.arange(len(columns)), columns, fontsize=SMALL)
    axes.set_yticks(np.arange(len(rows)), rows, fontsize=SMALL)
    axes.set_xticks(np.arange(width + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(height + 1) - 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    axes.grid(which="minor", color="#cccccc", linewidth=0.8)
    axes.spines[:].set_visible(False)


def tile(axes: Axes, images: NDArray[np.floating[Any]], cmap: str) -> AxesImage:
    """Draw images joined without gaps, with NaN transparent.

    Args:
        axes: the axes, which may show other tiles already.
        images: (rows, columns, height, width, channels), in [0, 1], with one channel, or three for RGB.
        cmap: the colours of one channel.
    """
    rows, columns, height, width, channels = images.shape
    joined = images.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
    if channels == 1:
        shown = joined[..., 0]
    else:
        opaque = ~np.isnan(joined).any(axis=-1, keepdims=True)
        shown = np.concatenate([np.nan_to_num(joined), opaque], axis=-1)
    extent, aspect = (-0.5, columns - 0.5, rows - 0.5, -0.5), height / width
    return axes.imshow(shown, cmap, aspect=aspect, vmin=0, vmax=1, extent=extent, interpolation="nearest")
