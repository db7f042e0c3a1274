"""Maps of points in the plane, coloured by class."""

import textwrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.plots import names
from vae.plots.examples import spread
from vae.plots.style import COLORS, MORE_COLORS, SCALE, SMALL, class_colors

TITLE_WIDTH = 55
"""Characters in one line of a map's title, which is as wide as the map."""
NAMED = len(COLORS + MORE_COLORS)
"""The largest number of classes that each have a colour and a name in the legend; of more, that many are named."""
LEGEND_WIDTH, NAME_WIDTH = 24, 14
"""Characters of a name in the legend and in a map."""
MAP_SIZE = 350
"""The width and the height of the points in a map in typographic points, about."""

Labels = NDArray[np.integer[Any]]


def maps(places: dict[str, NDArray[np.float64]], labels: Labels | None, class_names: NDArray[np.str_]) -> Figure:
    """Draw maps next to each other, coloured by class, with one legend.

    Up to 20 classes are each named, in the legend and at their medians. More are drawn in a scale of colours. Without
    labels all points have one colour, and there is no legend.

    Args:
        places: the maps by title, (n, 2) each.
        labels: (n,), indices into `class_names`; or None.
        class_names: (classes,).
    """
    legend = [] if labels is None else names.labels(class_names, LEGEND_WIDTH)
    room = max(0, 0.08 * (max(map(len, legend), default=0) - 10))  # for more than ten characters
    figure = Figure(figsize=(5.4 * len(places) + 1 + room, 5.8), layout="constrained")
    groups = figure.subplots(1, len(places), squeeze=False)[0]
    colors = np.array(COLORS[:1] if labels is None else class_colors(len(class_names)))
    for axes, (title, points) in zip(groups, places.items(), strict=True):
        # In one call and in random order: class by class, the last one would cover the others.
        order = np.random.default_rng(0).permutation(len(points))
        size, alpha = dots(len(points))
        color = colors if labels is None else colors[labels[order]]
        axes.scatter(*points[order].T, s=size, c=color, alpha=alpha, linewidths=0)
        if labels is not None and len(class_names) <= NAMED:
            name_classes(axes, points, labels, names.labels(class_names, NAME_WIDTH))
        axes.set_title("\n".join(textwrap.wrap(title, TITLE_WIDTH)))
        axes.set(xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
    if len(legend) > NAMED:
        scale = ScalarMappable(Normalize(0, len(legend) - 1), mpl.colormaps[SCALE])
        shown = spread(np.arange(len(legend)), NAMED)
        bar = figure.colorbar(scale, ax=groups, ticks=shown, aspect=40, pad=0.02)
        bar.set_ticklabels([legend[k] for k in shown], fontsize=SMALL)
        bar.set_label(f"classes by number; {len(shown)} of {len(legend):,} are named")
    elif legend:
        handles = [
            axes.scatter([], [], s=40, color=color, label=name) for color, name in zip(colors, legend, strict=True)
        ]
        figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


def name_classes(axes: Axes, points: NDArray[np.float64], labels: Labels, texts: list[str]) -> None:
    """Write the text of each class that has points (n, 2) at their median, if there is room."""
    colors, size = class_colors(len(texts)), 10 if len(texts) <= len(COLORS) else SMALL - 1
    centers = {int(k): np.median(points[labels == k], axis=0) for k in np.unique(labels)}
    letter = size * float(np.ptp(points, axis=0).max()) / MAP_SIZE
    for k in with_room(centers, np.bincount(labels), texts, letter):
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "alpha": 0.8, "edgecolor": colors[k]}
        x, y = centers[k]
        axes.text(x, y, texts[k], ha="center", va="center", fontsize=size, weight="bold", bbox=box)


def with_room(
    centers: dict[int, NDArray[np.float64]], counts: NDArray[np.intp], texts: list[str], letter: float
) -> list[int]:
    """Return the classes, ascending, whose texts cover no text of a class with more points.

    Texts of one or two characters may: they can be read all the same.

    Args:
        centers: the places (2,) of the texts by class.
        counts: (classes,), the numbers of points.
        texts: (classes,).
        letter: the height of a letter in the units of the places.
    """
    if max(map(len, texts)) <= 2:
        return sorted(centers)
    chosen: list[int] = []
    for k in sorted(centers, key=lambda k: -counts[k]):
        apart = np.abs([centers[k] - centers[other] for other in chosen]).reshape(-1, 2) / letter
        reach = [0.35 * (len(texts[k]) + len(texts[other])) + 0.4 for other in chosen]  # of bold letters and boxes
        if not ((apart[:, 0] < reach) & (apart[:, 1] < 1.4)).any():
            chosen.append(k)
    return sorted(chosen)


def dots(count: int) -> tuple[float, float]:
    """Return the area in square points and the opacity of each of `count` dots: the more dots, the less of both."""
    return float(np.clip(40_000 / count, 1, 12)), float(np.clip(7_000 / count, 0.3, 0.7))
