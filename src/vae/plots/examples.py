"""Which test images the figures show."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Values = TypeVar("Values", bound=NDArray[Any])


def spread(values: Values, count: int) -> Values:
    """Return `count` of the values (n, …) at equal distances, the first and the last included; all if n is less."""
    if len(values) <= count:
        return values
    chosen: Values = values[np.linspace(0, len(values) - 1, count).round().astype(int)]
    return chosen


def extremes_of_each_class(
    losses: NDArray[np.float64], labels: NDArray[np.integer[Any]], count: int
) -> NDArray[np.intp]:
    """Return the indices (3, classes) of each class's best, median and worst image, for at most `count` classes.

    The best image has the lowest loss. The median of an even number of images is the better of the two in the middle.
    Among equal losses, the earlier image counts as better. Classes ascend; those without an image are left out.

    Args:
        losses: (n,), nats per image.
        labels: (n,).
        count: the largest number of classes; of more, some at equal distances.
    """
    columns = []
    for label in spread(np.unique(labels), count):
        of_class = np.flatnonzero(labels == label)
        ranked = of_class[np.argsort(losses[of_class], kind="stable")]
        columns.append(ranked[[0, (len(ranked) - 1) // 2, -1]])
    return np.stack(columns, axis=1)


def extremes(losses: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the indices (3, columns) of the best images, of the images around the median, and of the worst.

    In each row the losses ascend. There are `count` columns, or a third of the images if that is less.

    Args:
        losses: (n,), nats per image.
        count: the largest number of columns.
    """
    ranked = np.argsort(losses, kind="stable")
    columns = min(count, max(1, len(ranked) // 3))
    starts = np.array([0, (len(ranked) - columns) // 2, len(ranked) - columns])
    return ranked[starts[:, np.newaxis] + np.arange(columns)]


def hardest(losses: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the indices of the `count` images of largest loss, the largest first; of all, if there are fewer."""
    return np.argsort(-losses, kind="stable")[:count]


def pairs_of_classes(labels: NDArray[np.integer[Any]], count: int) -> NDArray[np.intp]:
    """Return the indices (pairs, 2) of the first images of two classes each: the lowest two, the next two, and so on.

    Args:
        labels: (n,), of at least two classes.
        count: the largest number of pairs; of more classes than that needs, some at equal distances.
    """
    firsts: NDArray[np.intp] = spread(np.unique(labels, return_index=True)[1], 2 * count)
    return firsts[: len(firsts) // 2 * 2].reshape(-1, 2)


def pairs_within_classes(labels: NDArray[np.integer[Any]], count: int) -> NDArray[np.intp]:
    """Return the indices (pairs, 2) of the first two images of each class; the only image of a class is both.

    Args:
        labels: (n,).
        count: the largest number of pairs; of more classes, some at equal distances.
    """
    return np.array([np.resize(np.flatnonzero(labels == label), 2) for label in spread(np.unique(labels), count)])


def pairs(images: int, count: int) -> NDArray[np.intp]:
    """Return the indices (pairs, 2) of the first images, two each, for at most `count` pairs; one image is both."""
    return np.resize(np.arange(images), (max(1, min(images // 2, count)), 2))
