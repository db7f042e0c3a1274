"""Grids of images: reconstructions, samples, and walks through the latent space."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.evaluation.latent_moments import Moments
from vae.plots.mosaic import INK, TILE, mosaic, tile, tile_size
from vae.plots.style import SMALL, nats, new_figure

LETTER = 0.2
"""Inches by which a figure is wider for each letter of its labels. Only half of them are on the side of the labels."""
ERROR_COLORS = "magma_r"
"""A perceptually uniform colour map, light where the error is zero."""
MANIFOLD_STEPS = 20
"""Rows and columns of `manifold`, with tiles of half the size; images of more than 64 pixels need larger tiles."""


def manifold_steps(image_shape: tuple[int, ...]) -> int:
    """Return the number of rows and columns that `manifold` has room for, for images (height, width, channels)."""
    return MANIFOLD_STEPS if max(image_shape[:2]) <= 64 else MANIFOLD_STEPS // 2


def reconstructions(
    images: NDArray[np.float32],
    reconstructed: NDArray[np.float32],
    losses: NDArray[np.float64],
    classes: Sequence[str],
    mean_loss: float,
    whose: str = "test image of each class",
    grey: str = INK,
) -> Figure:
    """Draw best, median and worst images, their reconstructions and the errors, with the losses below.

    Args:
        images: (3, columns, height, width, channels): best, median, worst.
        reconstructed: the same shape.
        losses: (3, columns), nats per image.
        classes: the names of the classes, one above each column, or none.
        mean_loss: the mean over all test images, in nats.
        whose: what the images are the best, the median and the worst of, for the title.
        grey: the colours of images of one channel.
    """
    title = (
        f"Best, median and worst {whose}, reconstructed from the posterior mean\n"
        f"Below each its loss in nats; the mean of all test images is {nats(mean_loss, 2)}"
    )
    width, height = tile_size(images)
    columns = max(width * images.shape[1], TILE * 8)  # the title needs that width
    figure = new_figure(columns + 2.2, 9 * height + 2.2, title)
    groups = figure.subplots(3, 1)
    for axes, name, original, reconstruction, loss in zip(
        groups, ("best", "median", "worst"), images, reconstructed, losses, strict=True
    ):
        error = np.abs(original - reconstruction).mean(axis=-1, keepdims=True)
        blank = np.full_like(original, np.nan)
        below = [nats(value, 1) for value in loss]
        mosaic(axes, np.stack([original, reconstruction, blank]), below, ("original", "reconstruction", "error"), grey)
        colored = tile(axes, np.stack([blank[..., :1], blank[..., :1], error]), ERROR_COLORS)
        axes.set_ylabel(name, fontsize=12, weight="bold")
    if len(classes):
        name_columns(groups[0], classes)
    bar = figure.colorbar(colored, ax=groups, shrink=0.4, aspect=30, pad=0.02, panchor=(0.5, 0.5))
    bar.set_label("absolute error of a pixel in [0, 1]")
    return figure


def name_columns(axes: Axes, names: Sequence[str]) -> None:
    """Write a name above each column."""
    top = axes.secondary_xaxis("top")
    top.set_xticks(np.arange(len(names)), names, weight="bold")
    top.tick_params(length=0)
    top.spines[:].set_visible(False)


def samples(images: NDArray[np.float32], title: str, grey: str = INK) -> Figure:
    """Draw images (n, height, width, channels) row by row in a grid that is as square as possible."""
    columns = int(np.ceil(np.sqrt(len(images))))
    rows = int(np.ceil(len(images) / columns))
    tiles = np.full((rows * columns, *images.shape[1:]), np.nan, np.float32)
    tiles[: len(images)] = images
    width, height = tile_size(images)
    figure = new_figure(max(width * columns, TILE * 5) + 0.2, height * rows + 0.45, title)
    mosaic(figure.subplots(), tiles.reshape(rows, columns, *images.shape[1:]), grey=grey)
    return figure


def samples_of_classes(images: NDArray[np.float32], classes: Sequence[str], total: int, grey: str = INK) -> Figure:
    """Draw one class per row and one draw of z per column.

    Args:
        images: (rows, columns, height, width, channels).
        classes: the name of the class of each row.
        total: the number of all classes, of which the rows may be some.
        grey: the colours of images of one channel.
    """
    rows, columns = images.shape[:2]
    which = "One class a row" if rows == total else f"One of {rows} of {total:,} classes a row"
    width, height = tile_size(images)
    across = max(width * columns, TILE * 8)  # the title needs that width
    title = f"{which}, and one draw of z from the prior a column"
    figure = new_figure(across + 0.3 + 0.07 * max(map(len, classes)), height * rows + 0.45, title)
    mosaic(figure.subplots(), images, rows=classes, grey=grey)
    return figure


def traversals(
    images: NDArray[np.float32],
    values: NDArray[np.float64],
    dimensions: pd.DataFrame,
    grey: str = INK,
    is_prior: bool = True,
    of_class: str = "",
) -> Figure:
    """Draw one latent dimension per row, labelled with its KL, and one of its values per column.

    Args:
        images: (rows, steps, height, width, channels).
        values: (steps,), the values of the dimension, in standard deviations from its mean.
        dimensions: as `vae.evaluation.latent_dimensions.by_kl` returns them; the first rows are shown.
        grey: the colours of images of one channel.
        is_prior: whether the mean and the standard deviation are zero and one, as in the prior N(0, I).
        of_class: the name of the class of all images, for a conditional model.
    """
    rows, steps = images.shape[:2]
    which = "largest KL first" if rows == len(dimensions) else f"the {rows} of {len(dimensions)} with the largest KL"
    ends = f"{_number(values[0])} to {_number(values[-1])}"
    scale = f" from z = {ends}, the others at zero"
    if not is_prior:
        scale = f"\nfrom {ends} standard deviations from its mean over the images, the others at their means"
    width, height = tile_size(images)
    title = f"One latent dimension a row, {which}:{scale}{_all_of(of_class)}"
    shown = dimensions[:rows]
    labels = [f"$z_{{{k}}}$: KL {kl:.2f} nats" for k, kl in zip(shown.dimension, shown.kl, strict=True)]
    margin = 1.4 + LETTER * (max(map(len, labels)) - len("$z_{0}$: KL 0.00 nats"))
    figure = new_figure(width * steps + margin, height * rows + (0.95 if is_prior else 1.15), title)
    axes = figure.subplots()
    mosaic(axes, images, [_number(value) for value in values], labels, grey)
    axes.set_xlabel("value of the dimension" if is_prior else "standard deviations from the mean of the dimension")
    return figure


def interpolations(
    starts: NDArray[np.float32],
    between: NDArray[np.float32],
    ends: NDArray[np.float32],
    pairs: Sequence[str],
    of: str = "classes",
    grey: str = INK,
) -> Figure:
    """Draw one pair of test images per row, with the images decoded on the way from one to the other between them.

    Args:
        starts: (pairs, height, width, channels), originals.
        between: (pairs, steps, height, width, channels), decoded at equal distances, the latent vectors of both
            originals included.
        ends: as `starts`.
        pairs: the label of each row.
        of: what the labels are.
        grey: the colours of images of one channel.
    """
    tiles = np.concatenate([starts[:, np.newaxis], between, ends[:, np.newaxis]], axis=1)
    rows, columns = tiles.shape[:2]
    title = "Between two test images: decoded on the straight line from one posterior mean to the other"
    width, height = tile_size(starts)
    figure = new_figure(width * columns + 0.5 + 0.07 * max(map(len, pairs)), height * rows + 0.95, title)
    axes = figure.subplots()
    shares = [f"{share:.0%}" for share in np.linspace(0, 1, between.shape[1])]
    mosaic(axes, tiles, ["original", *shares, "original"], pairs, grey)
    axes.set(xlabel="share of the way", ylabel=of)
    for edge in (0.5, columns - 1.5):
        axes.axvline(edge, color="black", linewidth=2)
    return figure


def manifold(
    images: NDArray[np.float32],
    values: NDArray[np.float64],
    dimensions: Sequence[int],
    moments: Moments,
    grey: str = INK,
    of_class: str = "",
) -> Figure:
    """Draw the decoded plane of two dimensions, or the line of one, at Gaussian quantiles.

    Kingma & Welling (2014), figure 4.

    Args:
        images: (steps, steps, height, width, channels), growing with row and column; (1, steps, …) for one dimension.
        values: (steps,), the values of both dimensions, in standard deviations from their means.
        dimensions: the dimension of the columns and, if there is a second, the dimension of the rows.
        moments: these means and standard deviations.
        grey: the colours of images of one channel.
        of_class: as in `traversals`.
    """
    rows, steps = images.shape[:2]
    latent_dim, others, quantiles = len(moments.mean), "zero", "N(0, 1)"
    if not moments.is_prior:
        others, quantiles = "their means", "a Gaussian with each dimension's mean and variance"
    shown = {1: "The line of the only latent dimension", 2: "The plane of both latent dimensions"}.get(
        latent_dim,
        f"The plane of the two of {latent_dim} latent dimensions with the largest KL, the others at {others}",
    )
    title = f"{shown},\ndecoded at evenly spaced quantiles of {quantiles}{_all_of(of_class)}"
    size = TILE if steps < MANIFOLD_STEPS else TILE / 2  # there are hundreds of tiles
    width, height = tile_size(images, size)
    figure = new_figure(width * steps + 0.8, height * rows + 1.15, title)
    axes = figure.subplots()
    labels = [f"{value:.1f}".replace("-", "−") for value in values]
    mosaic(axes, images, labels, labels if len(dimensions) > 1 else (), grey)
    axes.tick_params(labelsize=SMALL - 1)
    axes.invert_yaxis()
    names = [_axis(k, moments) for k in dimensions]
    axes.set_xlabel(names[0])
    if len(dimensions) > 1:
        axes.set_ylabel(names[1])
    return figure


def _axis(k: int, moments: Moments) -> str:
    """Return the name of dimension k and, unless N(0, 1) is its prior, what the numbers on its axis are."""
    name = f"$z_{{{k}}}$"
    if moments.is_prior:
        return name
    return f"{name} in standard deviations ({_number(moments.std[k])}) from its mean ({_number(moments.mean[k])})"


def _all_of(of_class: str) -> str:
    """Return the end of a title that names the class of all images, or nothing."""
    return f"; class {of_class}" if of_class else ""


def _number(value: float) -> str:
    """Write a number as short as possible, with a minus sign instead of a hyphen, and zero without one."""
    return f"{value + 0.0:.3g}".replace("-", "−")
