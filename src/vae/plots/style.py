"""The style of all figures: colours, sizes, resolution and layout, and how a figure is saved."""

from collections.abc import Iterator
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
# Ten more for 11 to 20 classes: of all colours of three equal pairs of digits, those at the largest distance in CIELAB
# from each other and from the first ten, for readers with and without red-green blindness.
MORE_COLORS = (
    *("#3322EE", "#DDDD00", "#7777FF", "#77AAFF", "#0044CC"),
    *("#AA0011", "#CCCC99", "#5555BB", "#88BB00", "#DD7766"),
)
SCALE = "turbo"
"""The colour map of more classes."""
DPI = 150
MAX_BYTES = 10**6
"""The size of a picture above which it gets fewer colours."""
LEVELS, PALETTES = (86, 52, 16), (256, 128, 64, 32)
"""What it then gets, until it is small enough: levels of each colour channel, or a palette of so many colours."""
TITLE, SMALL = 13, 9
"""Font sizes in points, of a figure's title and of the labels of tiles and bars; all other text is Matplotlib's 10."""


def class_colors(count: int) -> tuple[str, ...]:
    """Return a colour for each of `count` classes: up to 20 that differ clearly, otherwise from a rainbow."""
    if count <= len(COLORS + MORE_COLORS):
        return (COLORS + MORE_COLORS)[:count]
    return tuple(to_hex(color) for color in mpl.colormaps[SCALE](np.linspace(0, 1, count)))


def new_figure(width: float, height: float, title: str) -> Figure:
    """Return an empty figure of that size in inches, with its title."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=TITLE)
    return figure


def nats(value: float, decimals: int) -> str:
    """Return a number of nats with a minus sign instead of a hyphen, and from a million on without decimals."""
    text = f"{value:.{decimals if abs(value) < 1e6 else 0}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def save_figure(path: Path, figure: Figure, levels: int = 256) -> None:
    """Write a PNG file, whole or not at all. Equal figures give equal bytes.

    Args:
        path: the file.
        figure: the figure, drawn at 150 dots per inch.
        levels: the number of levels of each colour channel. With 16, a figure of thousands of transparent dots takes
            half the bytes, and `COLORS`, black and white stay exact. A file of more than `MAX_BYTES` gets fewer.
    """
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI)
    with Image.open(drawn) as picture:
        pixels = picture.convert("RGB")
    with whole(path) as part:
        for coarser in _coarser(pixels, levels):
            coarser.save(part, "PNG", optimize=True, dpi=(DPI, DPI))
            if part.stat().st_size <= MAX_BYTES:
                return


def _coarser(picture: Image.Image, levels: int) -> Iterator[Image.Image]:
    """Yield the picture with that many levels of each colour channel, then with fewer, then with fewer colours."""
    channels = np.asarray(picture, np.float64)
    for fewer in (levels, *(fewer for fewer in LEVELS if fewer < levels)):
        step = 255 / (fewer - 1)
        yield Image.fromarray((np.round(channels / step) * step).round().astype(np.uint8))
    for colors in PALETTES:
        yield picture.quantize(colors)
