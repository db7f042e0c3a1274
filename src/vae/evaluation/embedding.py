"""Latent vectors: the parameters of q(z|x) for every image of a split."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.binarization import binarized
from vae.data.shards import Images, pieces
from vae.data.splits import Labels, Split
from vae.io.arrays import save_arrays
from vae.model.runtime import images_at_once
from vae.model.vae import VAE


class Embedding(NamedTuple):
    """q(z|x) = N(z_mean, diag exp(z_log_var)) for n images, with their labels."""

    z_mean: NDArray[np.float32]
    """(n, latent_dim)."""
    z_log_var: NDArray[np.float32]
    """(n, latent_dim)."""
    labels: NDArray[np.integer[Any]] | None
    """(n,); None without labels."""


def seen_by(model: VAE, split: Split) -> Split:
    """Return the split as the model sees it: with binarized images, drawn once, if its likelihood is of these."""
    return binarized(split) if model.likelihood.binarizes else split


def encode(
    model: VAE, images: Images, batch_size: int, title: str = "encode", labels: Labels | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what `VAE.encode` does, z_mean and z_log_var, while only a batch of the images is in memory.

    Args:
        model: the VAE whose encoder is used, without noise.
        images: (n, height, width, channels).
        batch_size: the largest number of images in one batch; there are fewer if they are large.
        title: the title of the progress bar.
        labels: (n,), for a conditional model.

    Raises:
        InputError: as in `VAE.encode`.
    """
    rows = list(pieces(len(images), images_at_once(batch_size, model.image_shape)))
    parts = [
        model.encode(images[i], batch_size, labels=None if labels is None else labels[i])
        for i in tqdm(rows, title, unit="batch", disable=None)
    ]
    z_mean, z_log_var = (np.concatenate(part) for part in zip(*parts, strict=True))
    return z_mean, z_log_var


def embed(model: VAE, split: Split, batch_size: int, title: str = "embed") -> Embedding:
    """Encode the images of the split, as `encode` does, with their labels if the model is conditional; keep these."""
    labels = split.known_labels if model.conditional else None
    return Embedding(*encode(model, split.images, batch_size, title, labels), split.labels)


def save_embedding(path: Path, embedding: Embedding) -> None:
    """Write the embedding as a `.npz` file; `labels` is left out if the images have no labels."""
    save_arrays(path, **{name: array for name, array in embedding._asdict().items() if array is not None})


def to_table(embedding: Embedding) -> pd.DataFrame:
    """Return one row per image: its label if there are labels, then z_mean_0, z_mean_1, … and z_log_var_0, …."""
    columns = {} if embedding.labels is None else {"label": embedding.labels}
    for name in ("z_mean", "z_log_var"):
        columns |= {f"{name}_{k}": values for k, values in enumerate(getattr(embedding, name).T)}
    return pd.DataFrame(columns)
