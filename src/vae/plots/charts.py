"""Charts of the results: training curves, KL per latent dimension, histogram of the loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vae.evaluation.posterior import ACTIVE_VARIANCE
from vae.plots.mosaic import INK, TILE, mosaic, tile_size
from vae.plots.style import COLORS, SMALL, new_figure
from vae.training.history import kept_epoch

LABELLED_BARS = 32
"""The largest number of bars with room for their values."""
MAX_BINS = 100
GALLERY = 10
"""The number of images for which `losses` has room."""

TERMS = {"loss": "Loss (−ELBO)", "reconstruction": "Reconstruction", "kl": "KL"}
HISTORY_COLUMNS = ("epoch", *TERMS, *(f"val_{name}" for name in TERMS))
"""The columns that `training_curves` draws."""


def training_curves(history: pd.DataFrame) -> Figure:
    """Draw loss, reconstruction and KL by epoch, for training and validation, with the best epoch marked.

    Args:
        history: one row per epoch, with at least `HISTORY_COLUMNS`.
    """
    best = kept_epoch(history)
    figure = new_figure(13, 4.6, f"Training: the weights of epoch {best.epoch:.0f} of {len(history)} are kept")
    for axes, (name, title) in zip(figure.subplots(1, 3), TERMS.items(), strict=True):
        axes.plot(history.epoch, history[name], "o-", color=COLORS[6], label="training")
        axes.plot(history.epoch, history[f"val_{name}"], "s-", color=COLORS[0], label="validation")
        axes.axvline(best.epoch, color="grey", linestyle=":", label=f"kept: epoch {best.epoch:.0f}")
        axes.set_title(f"{title}: validation {best[f'val_{name}']:.2f} nats")
        axes.set(xlabel="epoch", ylabel="nats per image")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def kl_per_dimension(dimensions: pd.DataFrame) -> Figure:
    """Draw one bar per dimension, the largest KL first, with its standard error.

    The bars of inactive dimensions are wine red and hatched, with a cross on them.

    Args:
        dimensions: as `vae.evaluation.latent_dimensions.by_kl` returns them.
    """
    count, active, kl = len(dimensions), dimensions.active.to_numpy(), dimensions.kl
    title = f"KL: {kl.sum():.2f} nats per image in all, {active.sum()} of {count} latent dimensions active"
    figure = new_figure(float(np.clip(0.5 * count + 2, 8, 13)), 4.8, title)
    axes = figure.subplots()
    named = count <= LABELLED_BARS
    looks = (
        (active, COLORS[2], "", f"active: variance of the means over the images above {ACTIVE_VARIANCE}"),
        (~active, COLORS[7], "////", f"× inactive (collapsed): variance of the means at most {ACTIVE_VARIANCE}"),
    )
    for these, color, hatch, label in looks:
        part, face = dimensions[these], "white" if hatch else color
        if len(part):
            look: Any = {"color": face, "edgecolor": color, "hatch": hatch, "capsize": 3 * named}
            axes.bar(part.index, part.kl, yerr=part.standard_error, label=label, **look)
    # A bar of zero height shows neither colour nor hatching, so a cross marks it.
    collapsed = np.flatnonzero(~active)
    feet = np.full(len(collapsed), 0.03)
    axes.plot(collapsed, feet, "x", color=COLORS[7], ms=9 if named else 4, mew=2, transform=axes.get_xaxis_transform())
    if named:
        label_bars(axes, dimensions)
    axes.set_xlabel("latent dimension, largest KL first" if named else "latent dimensions by rank, largest KL first")
    axes.set_ylabel("KL, nats per image, ± standard error")
    axes.set(xlim=(-0.7, count - 0.3), ylim=(0, 1.12 * max(kl.max(), 0.1)))
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", frameon=False)
    return figure


def label_bars(axes: Axes, dimensions: pd.DataFrame) -> None:
    """Write each bar's KL above it, or above its cross, and the name of its dimension below."""
    columns = (dimensions[name] for name in ("kl", "standard_error", "active"))
    for place, (kl, error, active) in enumerate(zip(*columns, strict=True)):
        above: Any = {"xytext": (0, 3 if active else 15), "textcoords": "offset points"}
        axes.annotate(f"{kl:.2f}", (place, kl + error), **above, ha="center", va="bottom", fontsize=SMALL)
    axes.set_xticks(dimensions.index, [f"$z_{{{k}}}$" for k in dimensions.dimension])


def loss_histogram(losses: NDArray[np.float64]) -> pd.DataFrame:
    """Return one row per bin of equal width: its center `loss`, in nats per image, and its number of `images`.

    The width follows NumPy's rule "auto", but there are at most 100 bins.

    Args:
        losses: (n,), nats per image.
    """
    nearly_equal = np.ptp(losses) <= 1e-9 * np.abs(losses).max()
    bins = 1 if nearly_equal else min(MAX_BINS, len(np.histogram_bin_edges(losses, "auto")) - 1)
    counts, edges = np.histogram(losses, bins)
    return pd.DataFrame({"loss": (edges[:-1] + edges[1:]) / 2, "images": counts})


def losses(
    values: NDArray[np.float64],
    bins: pd.DataFrame,
    hardest: NDArray[np.float32],
    captions: Sequence[str],
    gallery_title: str = "The largest losses: class, and loss in nats",
    grey: str = INK,
) -> Figure:
    """Draw the histogram of the loss with its mean and its median, above the images of largest loss.

    Args:
        values: (n,), the losses of all test images, in nats.
        bins: as `loss_histogram` returns them.
        hardest: (count, height, width, channels), the largest loss first.
        captions: (count,), one below each image.
        gallery_title: the title of these images, which says what the captions are.
        grey: the colours of images of one channel.
    """
    mean, median = values.mean(), np.median(values)
    title = f"Loss (−ELBO) of {len(values):,} test images: mean {mean:.2f}, median {median:.2f} nats"
    width, height = tile_size(hardest)
    figure = new_figure(width * GALLERY + 1.5, 5.6 + max(0, height - TILE), title)
    chart, gallery = figure.subplots(2, 1, height_ratios=[3, 1])
    step = bins.loss[1] - bins.loss[0] if len(bins) > 1 else 1.0
    chart.bar(bins.loss, bins.images, step, color=COLORS[1], edgecolor="white", linewidth=0.5)
    chart.axvline(mean, color=COLORS[0], label=f"mean {mean:.2f}")
    chart.axvline(median, color=COLORS[7], linestyle="--", label=f"median {median:.2f}")
    chart.set(xlabel="loss, nats per image", ylabel=f"images per bin of {step:.3g} nats")
    chart.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
    chart.grid(axis="y", alpha=0.3)
    chart.set_axisbelow(True)
    chart.legend(frameon=False)
    mosaic(gallery, hardest[np.newaxis], captions, grey=grey)
    gallery.set_title(gallery_title, fontsize=10)
    return figure
