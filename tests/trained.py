"""Small models with weights as if they were trained, and images for them."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vae.model.vae import VAE

SHAPE = (12, 10, 1)
LEVELS = np.random.default_rng(1).integers(0, 256, (7, *SHAPE), dtype=np.uint8)


def trained(image_shape: tuple[int, int, int] = SHAPE, latent_dim: int = 3, **options: Any) -> VAE:
    """Return a model in which no weight is zero, and no output is constant."""
    keras.utils.set_random_seed(0)
    defaults: dict[str, Any] = {"architecture": "mlp", "seed": 0}
    model = VAE(image_shape, latent_dim, **defaults | options)
    rng = np.random.default_rng(0)
    model.set_weights(
        [
            values + 0.1 * rng.standard_normal(values.shape).astype(values.dtype)
            if values.dtype.kind == "f"
            else values
            for values in model.get_weights()
        ]
    )
    return model


def write_photos(folder: Path, levels: NDArray[np.uint8] = LEVELS, classes: tuple[str, ...] = ("a", "b")) -> list[Path]:
    """Write images as PNG files, in turn into a folder for each class; return their paths in the order of a listing."""
    paths = []
    for number, image in enumerate(levels):
        path = folder / classes[number % len(classes)] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(path)
        paths.append(path)
    return sorted(paths)
