"""The style of all figures: colours, sizes, resolution and layout, and how a figure is saved."""

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from vae.io.whole import whole

# Paul Tol's "muted" scheme, https://personal.sron.nl/~pault/, which colour-blind readers can tell apart, and black.
COLORS = (
    *("#332288", "#88CCEE", "#44AA99", "#117733", "#999933"),
    *("#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000"),
)
DPI = 150
TITLE, SMALL = 13, 9
"""Font sizes in points, of a figure's title and of the labels of tiles and bars; all other text is Matplotlib's 10."""


def class_colors(count: int) -> tuple[str, ...]:
    """Return a colour for each of `count` classes: from `COLORS` if there are enough, otherwise from a rainbow."""
    if count <= len(COLORS):
        return COLORS[:count]
    return tuple(to_hex(color) for color in mpl.colormaps["turbo"](np.linspace(0, 1, count)))


def new_figure(width: float, height: float, title: str) -> Figure:
    """Return an empty figure of that size in inches, with its title."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=TITLE)
    return figure


def save_figure(path: Path, figure: Figure, levels: int = 256) -> None:
    """Write a PNG file, whole or not at all. Equal figures give equal bytes.

    Args:
        path: the file.
        figure: the figure, drawn at 150 dots per inch.
        levels: the number of levels of each colour channel. With 16, a figure of thousands of transparent dots takes
            half the bytes, and `COLORS`, black and white stay exact.
    """
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI)
    with Image.open(drawn) as picture:
        channels = np.asarray(picture.convert("RGB"), np.float64)
    step = 255 / (levels - 1)
    rounded = (np.round(channels / step) * step).round().astype(np.uint8)
    with whole(path) as part:
        Image.fromarray(rounded).save(part, "PNG", optimize=True, dpi=(DPI, DPI))
