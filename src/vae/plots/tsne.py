"""Maps of points of many dimensions in the plane, by t-SNE."""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import openTSNE
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from tqdm import tqdm

from vae.errors import InputError

PRINCIPAL_COMPONENTS = 50
MAX_BARNES_HUT = 10_000
EARLY_ITERATIONS, ITERATIONS, CALLBACK_EVERY = 250, 500, 10
MAX_VALUES = 2**25
"""The most values of the images in a map, 0.13 GB, which are copied: 2,730 images of 64x64x3."""
FEWEST = 7
"""The number of points that the smallest perplexity needs, which is 2."""
LARGEST = 1e15
"""The largest value of a point: openTSNE squares them in float32."""
ROUNDING, SMALLEST = 1e-5, 1e-16
"""Relative and absolute spread up to which points are equal up to float32's rounding; no map of them is finite."""


def tsne(points: NDArray[np.float32], *, perplexity: float, seed: int, title: str) -> NDArray[np.float64]:
    """Return the places of the points in the plane, (n, 2).

    van der Maaten & Hinton, "Visualizing Data using t-SNE" (2008), who also reduce many dimensions to principal
    components first. The map starts from principal components, as Kobak & Berens (2019,
    https://doi.org/10.1038/s41467-019-13056-x) recommend. Up to 10,000 points, repulsion is computed by the Barnes-Hut
    method (van der Maaten, 2014), which is then faster than interpolation. All else is openTSNE's default.

    Args:
        points: (n, …), flattened to vectors. More than 50 dimensions are reduced to 50 principal components.
        perplexity: the effective number of neighbours of each point.
        seed: the seed of the approximate nearest-neighbour search.
        title: printed before the start, and with the seconds after the end.

    Raises:
        InputError: there are too few points for the perplexity, all are equal up to rounding, or a value is too large.
    """
    points = points.reshape(len(points), -1)
    _check(points, perplexity, title)
    print(f"{title}, {len(points):,} points", flush=True)
    started = time.perf_counter()
    if points.shape[1] > PRINCIPAL_COMPONENTS:
        points = PCA(min(PRINCIPAL_COMPONENTS, len(points)), random_state=seed).fit_transform(points)
    with tqdm(total=EARLY_ITERATIONS + ITERATIONS, unit="iteration", disable=None) as bar:

        def advance(*_: Any) -> None:  # not `bar.update` itself: openTSNE stops if a callback returns True
            bar.update(CALLBACK_EVERY)

        places = openTSNE.TSNE(
            perplexity=perplexity,
            early_exaggeration_iter=EARLY_ITERATIONS,
            n_iter=ITERATIONS,
            negative_gradient_method="bh" if len(points) <= MAX_BARNES_HUT else "fft",
            initialization="pca" if points.shape[1] > 1 else "random",
            random_state=seed,
            n_jobs=-1,
            callbacks=advance,
            callbacks_every_iters=CALLBACK_EVERY,
        ).fit(points)
    print(f"{title}: {time.perf_counter() - started:.0f} s", flush=True)
    return np.asarray(places)


def fitting_points(points: int, images: int, image_shape: Sequence[int]) -> int:
    """Return how many of the images a map shows: `points` at most, or fewer if they are large, which a line then says.

    Args:
        points: the setting `visualize.tsne_points`.
        images: the number of images that there are.
        image_shape: (height, width, channels).
    """
    room = max(FEWEST, MAX_VALUES // math.prod(image_shape))
    if room < min(points, images):
        size = "x".join(map(str, image_shape))
        print(f"visualize.tsne_points is {points}, but a map has room for {room:,} images of {size}.", flush=True)
    return min(points, images, room)


def fitting_perplexity(perplexity: float, count: int) -> float:
    """Return the perplexity, or the largest one of a map of `count` points where that is less.

    Raises:
        InputError: there are too few points for any map.
    """
    if count < FEWEST:
        raise InputError(f"there are {count} images, but a t-SNE map needs at least {FEWEST}.")
    return min(perplexity, (count - 1) / 3)  # t-SNE looks at three times as many neighbours of each point


def _check(points: NDArray[np.float32], perplexity: float, title: str) -> None:
    """Refuse points (n, d) of which t-SNE cannot make a map.

    Raises:
        InputError: as in `tsne`.
    """
    if 3 * perplexity > len(points) - 1:  # t-SNE looks at that many neighbours of each point
        raise InputError(
            f"visualize.perplexity is {perplexity:g}, but must be at most {(len(points) - 1) / 3:.6g}, "
            f"since there are {len(points)} points."
        )
    largest, diverged = np.abs(points).max(axis=0), "if the model has diverged, train it at a lower learning rate."
    if not (largest <= LARGEST).all():  # or NaN
        raise InputError(
            f"{title}: a value is {largest.max():.3g}, but a map needs values up to {LARGEST:.0e}: {diverged}"
        )
    if (np.ptp(points, axis=0) <= np.maximum(ROUNDING * largest, SMALLEST)).all():
        nearly = "" if (points == points[0]).all() else " up to rounding"
        raise InputError(
            f"{title}: all {len(points):,} points are equal{nearly}, so there is no map of them: {diverged}"
        )


def to_table(
    places: NDArray[np.float64], labels: NDArray[np.integer[Any]] | None, class_names: NDArray[np.str_]
) -> pd.DataFrame:
    """Return one row per point for `dvc plots`: x, y and, if there are labels, its label and the name of its class."""
    x, y = places.round(3).T
    classes = {} if labels is None else {"label": labels, "class": class_names[labels]}
    return pd.DataFrame({"x": x, "y": y, **classes})
