"""Latent vectors: the parameters of q(z|x) for every image of a split."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.nn.batches import batches
from vae.nn.model import VAE


class Embedding(NamedTuple):
    """q(z|x) = N(z_mean, diag exp(z_log_var)) for n images, with their labels."""

    z_mean: NDArray[np.float32]
    """(n, latent_dim)."""
    z_log_var: NDArray[np.float32]
    """(n, latent_dim)."""
    labels: NDArray[np.uint8]
    """(n,)."""


def encode(model: VAE, images: NDArray[np.float32], batch_size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """z_mean and z_log_var, (n, latent_dim) each, of images (n, 28, 28, 1), `batch_size` at a time."""
    z_mean, z_log_var = model.encoder.predict(batches(images, batch_size), verbose=0)
    return z_mean, z_log_var


def embed(model: VAE, images: NDArray[np.float32], labels: NDArray[np.uint8], batch_size: int) -> Embedding:
    """Encode the images (n, 28, 28, 1), `batch_size` at a time, without noise."""
    return Embedding(*encode(model, images, batch_size), labels)


def to_table(embedding: Embedding) -> pd.DataFrame:
    """One row an image: its label, then z_mean_0, z_mean_1, … and z_log_var_0, z_log_var_1, …, one a dimension."""
    columns = {"label": embedding.labels}
    for name in ("z_mean", "z_log_var"):
        columns |= {f"{name}_{k}": values for k, values in enumerate(getattr(embedding, name).T)}
    return pd.DataFrame(columns)
