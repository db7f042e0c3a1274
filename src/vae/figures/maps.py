"""Maps of points in the plane, coloured by class."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.figures.style import COLORS


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
