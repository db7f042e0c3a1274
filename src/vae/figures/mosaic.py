"""Images of equal size side by side in one pair of axes, a tile each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from vae.figures.style import SMALL

TILE = 0.8
"""Inches of a tile's side, as `figsize` allows for it."""


def mosaic(
    axes: Axes, images: NDArray[np.floating[Any]], columns: Sequence[str] = (), rows: Sequence[str] = ()
) -> None:
    """Show the images in their rows and columns, ink dark on light, 0 white and 1 black.

    Tile (row, column) has its center at x = column, y = row, the y axis pointing down.

    Args:
        axes: without anything in it.
        images: (rows, columns, height, width, 1), in [0, 1]; NaN leaves a tile blank.
        columns: labels below, one a column, or none.
        rows: labels to the left, one a row, or none.
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
    """The images (rows, columns, height, width, 1) in [0, 1] joined without gaps, NaN transparent."""
    rows, columns, height, width, _ = images.shape
    joined = images.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width)
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    return axes.imshow(joined, cmap=cmap, vmin=0, vmax=1, extent=extent, interpolation="nearest")
