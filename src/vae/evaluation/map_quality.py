"""The quality of a map: whether neighbours in the plane share a class, and whether they were neighbours before."""

from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from vae.evaluation.accuracy import Labels, accuracy, has_classes

CLASS_NEIGHBOURS = 5
TRUST_NEIGHBOURS = 15
MAX_QUERIES = 10_000
CHUNK_MIB = 64  # of distances; ranks take several times as much

Points = NDArray[np.floating[Any]]


class Estimate(TypedDict):
    """A mean over the points, with its standard error, which assumes that they are independent."""

    value: float
    standard_error: float


class MapQuality(TypedDict):
    """The metrics of a map."""

    knn: NotRequired[dict[str, float | int]]
    """The accuracy of `neighbours_votes`; left out without labels, or if all points are of one class."""
    trustworthiness: dict[str, Estimate]
    """The `trustworthiness` with respect to the points that are mapped (`input`), and to the pixels (`pixels`)."""


def assess(points: Points, pixels: Points, places: Points, labels: Labels | None) -> MapQuality:
    """Return the metrics of a map.

    Args:
        points: (n, …), the points that are mapped.
        pixels: (n, height, width, channels), the images that the points represent.
        places: (n, 2), the map.
        labels: (n,), or None.
    """
    trust = {"input": trustworthiness(points, places), "pixels": trustworthiness(pixels, places)}
    if labels is None or not has_classes(labels):
        return {"trustworthiness": trust}
    return {"knn": accuracy(neighbours_votes(places, labels), labels), "trustworthiness": trust}


def describe(quality: MapQuality) -> str:
    """Return the metrics in a few words."""
    input_, pixels = (quality["trustworthiness"][name]["value"] for name in ("input", "pixels"))
    knn = f"5-NN accuracy {quality['knn']['accuracy']:.3f}, " if "knn" in quality else ""
    return f"{knn}trustworthiness {input_:.3f} to its input, {pixels:.3f} to the pixels"


def neighbours_votes(places: Points, labels: Labels) -> Labels:
    """Return the most frequent label, (n,), among the five nearest other places: leave-one-out 5-NN.

    Cover & Hart, "Nearest neighbor pattern classification" (1967). The smallest label wins a tie. Where there are fewer
    than six places, all the others vote.

    Args:
        places: (n, 2).
        labels: (n,).
    """
    near = np.sort(labels[_nearest_others(places, min(CLASS_NEIGHBOURS, len(places) - 1))], axis=1)
    votes = (near[:, :, np.newaxis] == near[:, np.newaxis]).sum(axis=2)  # for the label of each neighbour
    winners: Labels = np.take_along_axis(near, votes.argmax(axis=1, keepdims=True), axis=1)[:, 0]
    return winners


def trustworthiness(points: Points, places: Points, neighbours: int = TRUST_NEIGHBOURS) -> Estimate:
    """Return 1 if each place has the same nearest neighbours as its point, about one half if they are random.

    Venna & Kaski, "Neighborhood preservation in nonlinear projection methods: an experimental study" (2001): with
    r(i, j) the rank of j among the neighbours of point i,

        1 - 2 / (n k (2 n - 3 k - 1)) sum_i sum_j max(0, r(i, j) - k)

    over the k nearest neighbours j of each place i. If there are more than 10,000 points, i runs over the first 10,000
    only. `sklearn.manifold.trustworthiness` computes the same, but holds several (n, n) arrays; this holds a few rows.

    Args:
        points: (n, …), flattened to vectors: the points before the map.
        places: (n, 2): the points in the map.
        neighbours: k, or (n - 1) / 2 rounded down where that is less; n is at least 3.
    """
    points, neighbours = points.reshape(len(points), -1), min(neighbours, (len(points) - 1) // 2)
    near = _nearest_others(places, neighbours)

    def excess(distances: Points, start: int) -> Points:
        """Return by how much the ranks exceed k, summed for each row of distances; the first is row `start`."""
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf  # a point is not its own neighbour
        theirs = np.take_along_axis(distances, near[start + rows], axis=1)
        ranks = np.stack([1 + (distances < theirs[:, [j]]).sum(axis=1) for j in range(neighbours)])
        return np.asarray(np.maximum(0, ranks - neighbours).sum(axis=0))

    n, queries = len(points), points[:MAX_QUERIES]
    parts = pairwise_distances_chunked(queries, points, reduce_func=excess, working_memory=CHUNK_MIB, n_jobs=1)
    per_point = 1 - 2 / (neighbours * (2 * n - 3 * neighbours - 1)) * np.concatenate(list(parts))
    return {"value": float(per_point.mean()), "standard_error": float(per_point.std(ddof=1) / np.sqrt(len(per_point)))}


def _nearest_others(places: Points, count: int) -> NDArray[np.intp]:
    """Return the indices (n, count) of the other places that are nearest to each place."""
    return np.asarray(NearestNeighbors(n_neighbors=count).fit(places).kneighbors(return_distance=False))
