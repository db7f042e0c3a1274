"""Many images from a trained VAE, with a progress bar."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.model.vae import VAE


def decode(
    model: VAE,
    z: NDArray[np.float32],
    batch_size: int = 500,
    title: str = "decode",
    labels: NDArray[np.integer[Any]] | int | None = None,
) -> NDArray[np.float32]:
    """Return the mean images, (…, height, width, channels), of latent vectors (…, latent_dim).

    Args:
        model: the VAE whose decoder makes the images.
        z: the latent vectors.
        batch_size: vectors in one batch; memory grows with it.
        title: the title of the progress bar.
        labels: for a conditional model, of a shape that broadcasts to (…).
    """
    each = None if labels is None else np.broadcast_to(labels, z.shape[:-1]).reshape(-1)
    vectors = z.reshape(-1, z.shape[-1])
    starts = tqdm(range(0, len(vectors), batch_size), title, unit="batch", disable=None)
    slices = (slice(i, i + batch_size) for i in starts)
    images = np.concatenate(
        [model.decode(vectors[i], batch_size, labels=None if each is None else each[i]) for i in slices]
    )
    return images.reshape(*z.shape[:-1], *images.shape[1:])
