"""Many images from a trained VAE, with a progress bar."""

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.model.vae import VAE


def decode(model: VAE, z: NDArray[np.float32], batch_size: int = 500, title: str = "decode") -> NDArray[np.float32]:
    """Return the mean images, (…, height, width, channels), of latent vectors (…, latent_dim).

    Args:
        model: the VAE whose decoder makes the images.
        z: the latent vectors.
        batch_size: vectors in one batch; memory grows with it.
        title: the title of the progress bar.
    """
    vectors = z.reshape(-1, z.shape[-1])
    starts = tqdm(range(0, len(vectors), batch_size), title, unit="batch", disable=None)
    images = np.concatenate([model.decode(vectors[i : i + batch_size], batch_size) for i in starts])
    return images.reshape(*z.shape[:-1], *images.shape[1:])
