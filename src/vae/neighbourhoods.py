"""How good a map is: whether neighbours in the plane are of one class, and whether they were neighbours before."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from vae.accuracy import accuracy

CLASS_NEIGHBOURS = 5
TRUST_NEIGHBOURS = 15
MAX_QUERIES = 10_000
CHUNK_MIB = 64  # of distances; ranks take several times as much

Points = NDArray[np.floating[Any]]


class Estimate(TypedDict):
    """A mean over the points, and its standard error, which takes them for independent of each other."""

    value: float
    standard_error: float


class MapFigures(TypedDict):
    """How good a map is; see the functions of these names."""

    knn: dict[str, float | int]
    trustworthiness: dict[str, Estimate]
    """Against what the map is of (`input`), and against the pixels."""


def assess(points: Points, pixels: Points, places: Points, labels: NDArray[np.uint8]) -> MapFigures:
    """The figures of a map `places` (n, 2) of `points` (n, …), which stand for images `pixels` (n, …)."""
    return {
        "knn": accuracy(neighbours_votes(places, labels), labels),
        "trustworthiness": {
            "input": trustworthiness(points, places),
            "pixels": trustworthiness(pixels, places),
        },
    }


def describe(figures: MapFigures) -> str:
    """The figures in a few words."""
    input_, pixels = (figures["trustworthiness"][name]["value"] for name in ("input", "pixels"))
    return (
        f"5-NN accuracy {figures['knn']['accuracy']:.3f}, "
        f"trustworthiness {input_:.3f} to its input, {pixels:.3f} to the pixels"
    )


def neighbours_votes(places: Points, labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """For each place (n, 2), the label that most of the five nearest other places have: leave-one-out 5-NN.

    Cover & Hart, "Nearest neighbor pattern classification" (1967). Of equally many, the smallest label.
    """
    others = _nearest_others(places, CLASS_NEIGHBOURS)
    votes = (labels[others][..., np.newaxis] == np.arange(labels.max() + 1)).sum(axis=1)
    return np.asarray(votes.argmax(axis=1))


def trustworthiness(points: Points, places: Points, neighbours: int = TRUST_NEIGHBOURS) -> Estimate:
    """1 if the nearest neighbours of each place are those of its point; about one half if they are random ones.

    Venna & Kaski, "Neighborhood preservation in nonlinear projection methods: an experimental study" (2001): with
    r(i, j) the rank of j among the neighbours of point i,

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
    of_each = 1 - 2 / (neighbours * (2 * n - 3 * neighbours - 1)) * np.concatenate(list(parts))
    return {"value": float(of_each.mean()), "standard_error": float(of_each.std(ddof=1) / np.sqrt(len(of_each)))}


def _nearest_others(places: Points, count: int) -> NDArray[np.intp]:
    """Indices (n, count) of the nearest other places of each."""
    return np.asarray(NearestNeighbors(n_neighbors=count).fit(places).kneighbors(return_distance=False))
