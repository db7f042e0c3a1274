"""The one look of all pictures: colours, sizes, resolution, layout, and how they are written."""

from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vae.files import whole

# Paul Tol's "muted" scheme, https://personal.sron.nl/~pault/, distinct to colour-blind readers; black is the tenth.
COLORS = (
    *("#332288", "#88CCEE", "#44AA99", "#117733", "#999933"),
    *("#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000"),
)
DPI = 150
TITLE, SMALL = 13, 9
"""Font sizes in points, of a picture's title and of the labels of tiles and bars; the rest is Matplotlib's 10."""


def new_figure(width: float, height: float, title: str) -> Figure:
    """An empty figure of that size in inches, with its title."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=TITLE)
    return figure


def save_figure(path: Path, figure: Figure, levels: int = 256) -> None:
    """Write a PNG file, whole or not at all; equal figures give equal bytes.

    Args:
        path: of the file.
        figure: to be drawn at 150 dots per inch.
        levels: of each colour channel. With 16, thousands of transparent dots take half the bytes, and `COLORS`, black
            and white are as exact as with 256.
    """
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI)
    with Image.open(drawn) as picture:
        channels = np.asarray(picture.convert("RGB"), np.float64)
    step = 255 / (levels - 1)
    rounded = (np.round(channels / step) * step).round().astype(np.uint8)
    with whole(path) as part:
        Image.fromarray(rounded).save(part, "PNG", optimize=True, dpi=(DPI, DPI))
