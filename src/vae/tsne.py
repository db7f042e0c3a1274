"""Maps of many-dimensional points in the plane by t-SNE."""

from typing import Any

import numpy as np
import openTSNE
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

EARLY_ITERATIONS, ITERATIONS, CALLBACK_EVERY = 250, 500, 10


def tsne(points: NDArray[np.float32], *, perplexity: float, seed: int, title: str) -> NDArray[np.float64]:
    """The points' places in the plane, (n, 2).

    van der Maaten & Hinton, "Visualizing Data using t-SNE" (2008), with the initialization by principal components
    and the learning rate n / 12 of Kobak & Berens (2019), openTSNE's defaults.

    Args:
        points: (n, d), with n above three times the perplexity.
        perplexity: effective number of neighbours of each point.
        seed: of the approximate nearest-neighbour search.
        title: of the progress bar.
    """
    with tqdm(total=EARLY_ITERATIONS + ITERATIONS, desc=title, unit="iteration", disable=None) as bar:

        def advance(*_: Any) -> None:
            bar.update(CALLBACK_EVERY)

        embedding = openTSNE.TSNE(
            perplexity=perplexity,
            early_exaggeration_iter=EARLY_ITERATIONS,
            n_iter=ITERATIONS,
            initialization="pca" if points.shape[1] > 1 else "random",
            random_state=seed,
            n_jobs=-1,
            callbacks=advance,
            callbacks_every_iters=CALLBACK_EVERY,
        ).fit(points)
    return np.asarray(embedding)


def to_table(places: NDArray[np.float64], classes: NDArray[np.str_]) -> pd.DataFrame:
    """One row a point: x, y and its class, for `dvc plots`."""
    return pd.DataFrame({"x": places[:, 0].round(3), "y": places[:, 1].round(3), "class": classes})
