"""Which test images the figures show."""

import numpy as np
from numpy.typing import NDArray


def extremes_of_each_class(losses: NDArray[np.float64], labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the indices (3, classes) of each class's best, median and worst image.

    The best image has the lowest loss. The median of an even number of images is the better of the two in the middle.
    Among equal losses, the earlier image counts as better. Classes ascend; those without an image are left out.

    Args:
        losses: (n,), nats per image.
        labels: (n,).
    """
    columns = []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        ranked = of_class[np.argsort(losses[of_class], kind="stable")]
        columns.append(ranked[[0, (len(ranked) - 1) // 2, -1]])
    return np.stack(columns, axis=1)


def hardest(losses: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the indices of the `count` images of largest loss, the largest first; of all, if there are fewer."""
    return np.argsort(-losses, kind="stable")[:count]
