"""Many images from a trained VAE: draws from the prior, and their decoding a batch at a time."""

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.nn.model import VAE


def draw_prior(latent_dim: int, count: int, seed: int) -> NDArray[np.float32]:
    """The z ~ N(0, I), (count, latent_dim), that `VAE.sample` decodes."""
    return np.asarray(keras.random.normal((count, latent_dim), seed=seed))


def decode(model: VAE, z: NDArray[np.float32], batch_size: int, title: str = "decode") -> NDArray[np.float32]:
    """Pixel means in [0, 1], (n, 28, 28, 1), of latent vectors (n, latent_dim).

    Args:
        model: its decoder makes the images.
        z: the latent vectors.
        batch_size: vectors at a time; memory grows with it.
        title: of the progress bar.
    """
    starts = tqdm(range(0, len(z), batch_size), title, unit="batch", disable=None)
    return np.concatenate([np.asarray(model.decode(z[i : i + batch_size])) for i in starts])
