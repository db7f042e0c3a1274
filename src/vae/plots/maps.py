"""Maps of points in the plane, coloured by class."""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.plots.style import class_colors

TITLE_WIDTH = 55
"""Characters in one line of a map's title, which is as wide as the map."""


def maps(places: dict[str, NDArray[np.float64]], labels: NDArray[np.uint8], class_names: NDArray[np.str_]) -> Figure:
    """Draw maps next to each other, coloured by class, with one legend and each class named at its median.

    Args:
        places: the maps by title, (n, 2) each.
        labels: (n,), indices into `class_names`.
        class_names: (classes,).
    """
    figure = Figure(figsize=(5.4 * len(places) + 1, 5.8), layout="constrained")
    size, alpha = dots(len(labels))
    colors = class_colors(len(class_names))
    for axes, (title, points) in zip(figure.subplots(1, len(places), squeeze=False)[0], places.items(), strict=True):
        # In one call and in random order: class by class, the last one would cover the others.
        order = np.random.default_rng(0).permutation(len(points))
        axes.scatter(*points[order].T, s=size, c=np.array(colors)[labels[order]], alpha=alpha, linewidths=0)
        for label, name in enumerate(class_names):
            if (labels == label).any():
                box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "alpha": 0.8, "edgecolor": colors[label]}
                center = np.median(points[labels == label], axis=0)
                axes.text(*center, name, ha="center", va="center", fontsize=10, weight="bold", bbox=box)
        axes.set_title("\n".join(textwrap.wrap(title, TITLE_WIDTH)))
        axes.set(xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
    handles = [
        axes.scatter([], [], s=40, color=color, label=name) for color, name in zip(colors, class_names, strict=True)
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


def dots(count: int) -> tuple[float, float]:
    """Return the area in square points and the opacity of each of `count` dots: the more dots, the less of both."""
    return float(np.clip(40_000 / count, 1, 12)), float(np.clip(7_000 / count, 0.3, 0.7))
