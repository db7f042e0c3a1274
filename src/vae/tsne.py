"""Maps of many-dimensional points in the plane by t-SNE."""

import time
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


def tsne(points: NDArray[np.float32], *, perplexity: float, seed: int, title: str) -> NDArray[np.float64]:
    """The points' places in the plane, (n, 2).

    van der Maaten & Hinton, "Visualizing Data using t-SNE" (2008), who also look for neighbours among principal
    components where there are many dimensions. Initialized by principal components as Kobak & Berens advise (2019,
    https://doi.org/10.1038/s41467-019-13056-x), with repulsion by Barnes & Hut's method (van der Maaten, 2014), which
    takes less time than interpolation at 10,000 points; otherwise by openTSNE's defaults.

    Args:
        points: (n, …), flattened to vectors; of more than 50 dimensions, the first 50 principal components count.
        perplexity: effective number of neighbours of each point.
        seed: of the approximate nearest-neighbour search.
        title: printed before it starts, and with the seconds after it.

    Raises:
        InputError: there are too few points for the perplexity, or all are the same.
    """
    points = points.reshape(len(points), -1)
    if 3 * perplexity > len(points) - 1:  # t-SNE looks at that many neighbours of each point
        raise InputError(
            f"visualize.perplexity is {perplexity:g}, but must be at most {(len(points) - 1) / 3:.6g}, "
            f"since there are {len(points)} points."
        )
    if (points == points[0]).all():
        raise InputError(
            f"{title}: all {len(points):,} points are the same, which have no map: if they are of a model that has "
            "gone astray, train it at a lower learning rate."
        )
    print(f"{title}, {len(points):,} points", flush=True)
    started = time.perf_counter()
    if points.shape[1] > PRINCIPAL_COMPONENTS:
        points = PCA(min(PRINCIPAL_COMPONENTS, len(points)), random_state=seed).fit_transform(points)
    with tqdm(total=EARLY_ITERATIONS + ITERATIONS, unit="iteration", disable=None) as bar:

        def advance(*_: Any) -> None:
            bar.update(CALLBACK_EVERY)

        embedding = openTSNE.TSNE(
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
    return np.asarray(embedding)


def to_table(places: NDArray[np.float64], labels: NDArray[np.uint8], class_names: NDArray[np.str_]) -> pd.DataFrame:
    """One row a point: x, y, its label and the name of its class, for `dvc plots`."""
    x, y = places.round(3).T
    return pd.DataFrame({"x": x, "y": y, "label": labels, "class": class_names[labels]})
