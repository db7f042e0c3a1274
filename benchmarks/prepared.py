"""The prepared data and the settings that the parts of the benchmark use. No TensorFlow."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vae.data.splits import SPLITS, Split, load_split
from vae.settings.loader import load_settings
from vae.settings.model import Model


def prepared(name: str) -> Split:
    """Return the `train`, `validation` or `test` split."""
    return load_split(Path(f"data/prepared/{name}.npz"))


def model_size() -> tuple[tuple[int, int, int], int]:
    """Return the shape of the prepared images, (height, width, channels), and the number of latent dimensions."""
    height, width, channels = prepared("test").images.shape[1:]
    _, model = load_settings(Model)
    return (height, width, channels), model.latent_dim


def raw_images() -> NDArray[np.uint8]:
    """Return all prepared images, (n, height, width, channels), as levels from 0 to 255: training images first."""
    return np.concatenate([np.rint(255 * prepared(name).images[:]).astype(np.uint8) for name in SPLITS])
