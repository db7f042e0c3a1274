"""The pictures, each a function from arrays to a Matplotlib figure."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vae.errors import InputError
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


def maps(places: dict[str, NDArray[np.float64]], labels: NDArray[np.uint8], class_names: NDArray[np.str_]) -> Figure:
    """Maps side by side, coloured by class, each class named at its median, with one legend.

    Args:
        places: by title, (n, 2) each.
        labels: (n,), indices into `class_names`.
        class_names: (classes,).
    """
    figure = Figure(figsize=(5.4 * len(places) + 1, 5.6), layout="constrained")
    for axes, (title, points) in zip(figure.subplots(1, len(places), squeeze=False)[0], places.items(), strict=True):
        # In one call and in random order, or the last class would cover the others.
        order = np.random.default_rng(0).permutation(len(points))
        colors = np.array(COLORS)[labels[order]]
        axes.scatter(*points[order].T, s=4, c=colors, alpha=0.7, linewidths=0)
        for label, name in enumerate(class_names):
            if (labels == label).any():
                box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "alpha": 0.8, "edgecolor": COLORS[label]}
                center = np.median(points[labels == label], axis=0)
                axes.text(*center, name, ha="center", va="center", fontsize=10, weight="bold", bbox=box)
        axes.set(title=title, xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
    handles = [
        axes.scatter([], [], s=40, color=color, label=name) for color, name in zip(COLORS, class_names, strict=False)
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


def first_of_each_class(labels: NDArray[np.uint8], count: int) -> NDArray[np.intp]:
    """Indices (classes * count,) of the first images of each class, class by class.

    Raises:
        InputError: a class has fewer images.
    """
    indices = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    fewest = min(map(len, indices))
    if fewest < count:
        raise InputError(
            f"visualize.reconstructions_per_class is {count}, but must be at most {fewest}: "
            "the rarest class has no more test images."
        )
    return np.concatenate(indices)


def reconstructions(
    images: NDArray[np.float32], reconstructed: NDArray[np.float32], class_names: NDArray[np.str_]
) -> Figure:
    """A column for each class; in it, each original above its reconstruction.

    Args:
        images: (classes * per_class, 28, 28, 1), class by class.
        reconstructed: the same shape.
        class_names: (classes,).
    """
    classes, per_class = len(class_names), len(images) // len(class_names)
    images, reconstructed = (array.reshape(classes, per_class, 28, 28) for array in (images, reconstructed))
    figure = Figure(figsize=(classes, 2.15 * per_class + 0.6), layout="constrained")
    figure.suptitle("Each test image above its reconstruction from the posterior mean")
    grid = figure.subplots(2 * per_class, classes, squeeze=False)
    for row in range(2 * per_class):
        for column in range(classes):
            source = reconstructed if row % 2 else images
            show(grid[row, column], source[column, row // 2])
        grid[row, 0].set_ylabel("reconstruction" if row % 2 else "original", fontsize=9)
    for axes, name in zip(grid[0], class_names, strict=True):
        axes.set_title(name, fontsize=11)
    return figure


def samples(images: NDArray[np.float32], title: str) -> Figure:
    """The images (n, 28, 28, 1) in a grid as square as can be."""
    columns = int(np.ceil(np.sqrt(len(images))))
    rows = int(np.ceil(len(images) / columns))
    figure = Figure(figsize=(0.75 * columns + 0.5, 0.75 * rows + 0.6), layout="constrained")
    figure.suptitle(title)
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        if i < len(images):
            show(axes, images[i, ..., 0])
        else:
            axes.axis("off")
    return figure


def training_curves(history: pd.DataFrame) -> Figure:
    """Loss, reconstruction and KL by epoch, for training and validation, with the best epoch marked."""
    best = history.iloc[history.val_loss.argmin()]
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    titles = {"loss": "Loss (−ELBO)", "reconstruction": "Reconstruction", "kl": "KL"}
    for axes, (name, title) in zip(figure.subplots(1, 3), titles.items(), strict=True):
        axes.plot(history.epoch, history[name], "o-", color=COLORS[6], label="training")
        axes.plot(history.epoch, history[f"val_{name}"], "s-", color=COLORS[0], label="validation")
        kept = f"kept: epoch {best.epoch:.0f}, validation {best[f'val_{name}']:.2f}"
        axes.axvline(best.epoch, color="grey", linestyle=":", label=kept)
        axes.set(title=title, xlabel="epoch", ylabel="nats per image")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def show(axes: Axes, image: NDArray[np.float32]) -> None:
    """One image (28, 28) in [0, 1], dark on light, without ticks."""
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color("#cccccc")
