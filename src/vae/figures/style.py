"""The one look of all pictures: colours, resolution, layout, and how they are written."""

from pathlib import Path

from matplotlib.figure import Figure

from vae.files import whole

# Paul Tol's "muted" scheme, https://personal.sron.nl/~pault/, distinct to colour-blind readers; black is the tenth.
COLORS = (
    *("#332288", "#88CCEE", "#44AA99", "#117733", "#999933"),
    *("#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000"),
)
DPI = 150


def save_figure(path: Path, figure: Figure) -> None:
    """Write a PNG file, whole or not at all."""
    with whole(path) as part:
        figure.savefig(part, dpi=DPI)
