"""How good a map is: whether neighbours in the plane are of one class, and whether they were neighbours before."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

CLASS_NEIGHBOURS = 5
TRUST_NEIGHBOURS = 15
MAX_QUERIES = 10_000
CHUNK_MIB = 64  # of distances; ranks take several times as much

Points = NDArray[np.floating[Any]]


class MapFigures(TypedDict):
    """How good a map is; see the functions of these names."""

    knn: float
    trustworthiness: dict[str, float]
    """Against what the map is of (`input`), and against the pixels."""


def assess(points: Points, pixels: Points, places: Points, labels: NDArray[np.uint8]) -> MapFigures:
    """The figures of a map `places` (n, 2) of `points` (n, …), which stand for images `pixels` (n, …)."""
    of_input = trustworthiness(points, places)
    of_pixels = of_input if points is pixels else trustworthiness(pixels, places)
    return {
        "knn": neighbour_accuracy(places, labels),
        "trustworthiness": {"input": of_input, "pixels": of_pixels},
    }


def describe(figures: MapFigures) -> str:
    """The figures in a few words."""
    trust = figures["trustworthiness"]
    shown = "{input:.3f}" if trust["input"] == trust["pixels"] else "{input:.3f}, {pixels:.3f} to the pixels"
    return f"5-NN accuracy {figures['knn']:.3f}, trustworthiness {shown.format_map(trust)}"


def neighbour_accuracy(places: Points, labels: NDArray[np.uint8]) -> float:
    """The share of places (n, 2) whose label is the one that most of the five nearest other places have."""
    others = _nearest_others(places, CLASS_NEIGHBOURS)
    votes = (labels[others][..., np.newaxis] == np.arange(labels.max() + 1)).sum(axis=1)
    return float((votes.argmax(axis=1) == labels).mean())


def trustworthiness(points: Points, places: Points, neighbours: int = TRUST_NEIGHBOURS) -> float:
    """1 if the nearest neighbours of each place are those of its point; about one half if they are any others.

    Venna & Kaski, "Neighborhood preservation in nonlinear projection methods" (2001), section 3: with r(i, j) the rank
    of j among the neighbours of point i,

        1 - 2 / (n k (2 n - 3 k - 1)) sum_i sum_j max(0, r(i, j) - k)

    over the k nearest neighbours j of each place i. Of more than 10,000 points, i runs over the first 10,000 alone.
    `sklearn.manifold.trustworthiness` is the same, but holds several arrays of n x n; this, some rows at a time.

    Args:
        points: (n, …), flattened to vectors: before the map.
        places: (n, 2): in the map.
        neighbours: k, less than n / 2.
    """
    points = points.reshape(len(points), -1)
    near = _nearest_others(places, neighbours)

    def excess(distances: Points, start: int) -> Points:
        """By how much the ranks are over k, summed for each of some points."""
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf  # a point is no neighbour of itself
        theirs = np.take_along_axis(distances, near[start + rows], axis=1)
        ranks = np.stack([1 + (distances < theirs[:, [j]]).sum(axis=1) for j in range(neighbours)])
        return np.asarray(np.maximum(0, ranks - neighbours).sum(axis=0))

    n, queries = len(points), points[:MAX_QUERIES]
    parts = pairwise_distances_chunked(queries, points, reduce_func=excess, working_memory=CHUNK_MIB, n_jobs=1)
    return float(1 - 2 / (neighbours * (2 * n - 3 * neighbours - 1)) * np.concatenate(list(parts)).mean())


def _nearest_others(places: Points, count: int) -> NDArray[np.intp]:
    """Indices (n, count) of the nearest other places of each."""
    return np.asarray(NearestNeighbors(n_neighbors=count).fit(places).kneighbors(return_distance=False))
