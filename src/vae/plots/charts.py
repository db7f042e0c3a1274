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
from vae.history import BETA
from vae.plots.mosaic import INK, TILE, mosaic, tile_size
from vae.plots.style import COLORS, SMALL, nats, new_figure

LABELLED_BARS = 32
"""The largest number of bars with room for their values."""
MAX_BINS = 100
GALLERY = 10
"""The number of images for which `losses` has room."""

UNIT = "nats per image"
NEGATIVE_ELBO = "−ELBO"
"""As in `vae.model.objectives.elbo`, which needs TensorFlow."""
TERMS = {"loss": f"Loss ({NEGATIVE_ELBO})", "reconstruction": "Reconstruction", "kl": "KL"}
HISTORY_COLUMNS = ("epoch", *TERMS, *(f"val_{name}" for name in TERMS))
"""The columns that `training_curves` draws."""


def training_curves(history: pd.DataFrame, best: pd.Series, loss_name: str = NEGATIVE_ELBO, unit: str = UNIT) -> Figure:
    """Draw loss, reconstruction and KL by epoch, for training and validation, with the best epoch marked.

    Args:
        history: one row per epoch, with at least `HISTORY_COLUMNS`. With a warm-up of the KL, its epochs are shaded.
        best: the row of the epoch that is kept.
        loss_name: what the training loss is. The validation loss is the negative ELBO.
        unit: what the nats of the loss and of the reconstruction are of.
    """
    figure = new_figure(13, 4.6, f"Training: the weights of epoch {best.epoch:.0f} of {len(history)} are kept")
    for axes, (name, title) in zip(figure.subplots(1, 3), TERMS.items(), strict=True):
        training, validation = "training", "validation"
        if name == "loss" and loss_name != NEGATIVE_ELBO:
            training, validation = f"training: {loss_name}".replace(", ", ",\n"), f"validation: {NEGATIVE_ELBO}"
        axes.plot(history.epoch, history[name], "o-", color=COLORS[6], label=training)
        axes.plot(history.epoch, history[f"val_{name}"], "s-", color=COLORS[0], label=validation)
        axes.axvline(best.epoch, color="grey", linestyle=":", label=f"kept: epoch {best.epoch:.0f}")
        shade_warmup(axes, history)
        axes.set_title(f"{title}: validation {nats(best[f'val_{name}'], 2)} nats")
        axes.set(xlabel="epoch", ylabel=UNIT if name == "kl" else unit.replace(" of ", "\nof ", 1))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.ticklabel_format(axis="y", style="plain", useOffset=False)
        axes.grid(alpha=0.3)
        axes.legend(frameon=BETA in history or loss_name != NEGATIVE_ELBO)  # readable on the shade and lines
    return figure


def shade_warmup(axes: Axes, history: pd.DataFrame) -> None:
    """Shade the epochs, if there are any, that end before the weight of the KL has risen to its last value."""
    rising = history[history[BETA] < history[BETA].max()] if BETA in history else history[:0]
    if len(rising):
        axes.axvspan(
            rising.epoch.min() - 0.5, rising.epoch.max() + 0.5, color="0.92", zorder=0, label="warm-up of the KL"
        )


def kl_per_dimension(dimensions: pd.DataFrame, is_prior: bool = True) -> Figure:
    """Draw one bar per dimension, the largest KL first, with its standard error.

    The bars of inactive dimensions are wine red and hatched, with a cross on them.

    Args:
        dimensions: as `vae.evaluation.latent_dimensions.by_kl` returns them.
        is_prior: whether the KL is to the prior N(0, I); otherwise it is to the Gaussians of the aggregate posterior.
    """
    count, active, kl = len(dimensions), dimensions.active.to_numpy(), dimensions.kl
    what = "KL: " if is_prior else "KL of each dimension to a Gaussian with its mean and variance, not to the prior:\n"
    title = f"{what}{kl.sum():.2f} nats per image in all, {active.sum()} of {count} latent dimensions active"
    figure = new_figure(float(np.clip(0.5 * count + 2, 8, 13)), 4.8, title)
    axes = figure.subplots()
    named = count <= LABELLED_BARS
    limit = f"{ACTIVE_VARIANCE}" if is_prior else f"{ACTIVE_VARIANCE} of the variance of z"
    looks = (
        (active, COLORS[2], "", f"active: variance of the means over the images above {limit}"),
        (~active, COLORS[7], "////", f"× inactive (collapsed): variance of the means at most {limit}"),
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
    unit: str = UNIT,
) -> Figure:
    """Draw the histogram of the loss with its mean and its median, above the images of largest loss.

    Args:
        values: (n,), the losses of all test images, in nats.
        bins: as `loss_histogram` returns them.
        hardest: (count, height, width, channels), the largest loss first.
        captions: (count,), one below each image.
        gallery_title: the title of these images, which says what the captions are.
        grey: the colours of images of one channel.
        unit: what the nats are of.
    """
    mean, median = (nats(value, 2) for value in (values.mean(), float(np.median(values))))
    title = f"Loss ({NEGATIVE_ELBO}) of {len(values):,} test images: mean {mean}, median {median} nats"
    width, height = tile_size(hardest)
    figure = new_figure(width * GALLERY + 1.5, 5.6 + max(0, height - TILE), title)
    chart, gallery = figure.subplots(2, 1, height_ratios=[3, 1])
    step = bins.loss[1] - bins.loss[0] if len(bins) > 1 else 1.0
    chart.bar(bins.loss, bins.images, step, color=COLORS[1], edgecolor="white", linewidth=0.5)
    chart.axvline(values.mean(), color=COLORS[0], label=f"mean {mean}")
    chart.axvline(np.median(values), color=COLORS[7], linestyle="--", label=f"median {median}")
    width_of_bin = f"{step:.3g}" if step < 1000 else f"{step:.0f}"
    chart.set(xlabel=f"loss, {unit}", ylabel=f"images per bin of {width_of_bin} nats")
    chart.ticklabel_format(axis="x", style="plain", useOffset=False)
    chart.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
    chart.grid(axis="y", alpha=0.3)
    chart.set_axisbelow(True)
    chart.legend(frameon=False)
    mosaic(gallery, hardest[np.newaxis], captions, grey=grey)
    gallery.set_title(gallery_title, fontsize=10)
    return figure
