"""Latent vectors: the parameters of q(z|x) for every image of a split."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.data.splits import Split
from vae.io.arrays import save_arrays
from vae.model.vae import VAE


class Embedding(NamedTuple):
    """q(z|x) = N(z_mean, diag exp(z_log_var)) for n images, with their labels."""

    z_mean: NDArray[np.float32]
    """(n, latent_dim)."""
    z_log_var: NDArray[np.float32]
    """(n, latent_dim)."""
    labels: NDArray[np.integer[Any]] | None
    """(n,); None without labels."""


def embed(model: VAE, split: Split, batch_size: int) -> Embedding:
    """Encode the images of the split, `batch_size` at a time, without noise."""
    return Embedding(*model.encode(split.images, batch_size), split.labels)


def save_embedding(path: Path, embedding: Embedding) -> None:
    """Write the embedding as a `.npz` file; `labels` is left out if the images have no labels."""
    save_arrays(path, **{name: array for name, array in embedding._asdict().items() if array is not None})


def to_table(embedding: Embedding) -> pd.DataFrame:
    """Return one row per image: its label if there are labels, then z_mean_0, z_mean_1, … and z_log_var_0, …."""
    columns = {} if embedding.labels is None else {"label": embedding.labels}
    for name in ("z_mean", "z_log_var"):
        columns |= {f"{name}_{k}": values for k, values in enumerate(getattr(embedding, name).T)}
    return pd.DataFrame(columns)
