"""Maps of points in the plane, coloured by class."""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.figures.style import COLORS

TITLE_WIDTH = 55
"""Characters in a line of a map's title, which is as wide as the map."""


def maps(places: dict[str, NDArray[np.float64]], labels: NDArray[np.uint8], class_names: NDArray[np.str_]) -> Figure:
    """Maps side by side, coloured by class, each class named at its median, with one legend.

    Args:
        places: by title, (n, 2) each.
        labels: (n,), indices into `class_names`.
        class_names: (classes,).
    """
    figure = Figure(figsize=(5.4 * len(places) + 1, 5.8), layout="constrained")
    size, alpha = dots(len(labels))
    for axes, (title, points) in zip(figure.subplots(1, len(places), squeeze=False)[0], places.items(), strict=True):
        # In one call and in random order, or the last class would cover the others.
        order = np.random.default_rng(0).permutation(len(points))
        colors = np.array(COLORS)[labels[order]]
        axes.scatter(*points[order].T, s=size, c=colors, alpha=alpha, linewidths=0)
        for label, name in enumerate(class_names):
            if (labels == label).any():
                box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "alpha": 0.8, "edgecolor": COLORS[label]}
                center = np.median(points[labels == label], axis=0)
                axes.text(*center, name, ha="center", va="center", fontsize=10, weight="bold", bbox=box)
        axes.set_title("\n".join(textwrap.wrap(title, TITLE_WIDTH)))
        axes.set(xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
    handles = [
        axes.scatter([], [], s=40, color=color, label=name) for color, name in zip(COLORS, class_names, strict=False)
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


def dots(count: int) -> tuple[float, float]:
    """Area in square points and opacity of each of so many dots: less of both, the more of them cover each other."""
    return float(np.clip(40_000 / count, 1, 12)), float(np.clip(7_000 / count, 0.3, 0.7))
