"""The test loss image by image: its distribution, and the images at its ends."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_BINS = 100


def extremes_of_each_class(losses: NDArray[np.float64], labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Indices (3, classes) of each class's best, median and worst image, classes ascending, absent ones left out.

    Best is the lowest loss. Of an even number of images, the better of the two in the middle is the median. Of equal
    losses the earlier image is the better one.

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
    """Indices of the `count` images of largest loss, the largest first; of all, if there are fewer."""
    return np.argsort(-losses, kind="stable")[:count]


def histogram(losses: NDArray[np.float64]) -> pd.DataFrame:
    """One row a bin of equal width: its center `loss`, in nats per image, and its number of `images`.

    The width follows NumPy's rule "auto", for at most 100 bins.
    """
    bins = min(MAX_BINS, len(np.histogram_bin_edges(losses, "auto")) - 1)
    counts, edges = np.histogram(losses, bins)
    return pd.DataFrame({"loss": (edges[:-1] + edges[1:]) / 2, "images": counts})
