"""The images on which an export is compared with Keras."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.data.binarization import binarize
from vae.data.splits import load_split
from vae.inference.images import Choices, batches
from vae.inference.sources import Source
from vae.model.vae import VAE

TEST_IMAGES = Path("data/prepared/test.npz")
"""The pipeline's test images."""
MAX_IMAGES, DRAWS = 10_000, 500
"""The most images that are compared, and the number of draws that replace missing images."""


def images_to_compare(source: Source | None, model: VAE) -> tuple[NDArray[np.float32], NDArray[Any] | None, str]:
    """Return images as the model takes them, their labels if it is conditional, and what they are.

    Args:
        source: images, as in `vae.inference.images.batches`, of which the first `MAX_IMAGES` are taken. None means the
            pipeline's test images or, if they are missing or of another shape, draws from the model itself.
        model: the VAE.

    Raises:
        InputError: as in `batches`.
    """
    if source is None and not _are_for(TEST_IMAGES, model):
        labels = np.arange(DRAWS) % len(model.class_names) if model.conditional else None
        images = model.sample(DRAWS, seed=0, labels=labels)
        return binarize(images) if model.likelihood.binarizes else images, labels, "draws from the model"
    found = []
    for batch in batches(TEST_IMAGES if source is None else source, model, Choices(), "read images"):
        found.append(batch)
        if sum(len(part.names) for part in found) >= MAX_IMAGES:
            break
    images = np.concatenate([part.images for part in found])[:MAX_IMAGES]
    known = [part.labels for part in found if part.labels is not None]
    labels = np.concatenate(known)[:MAX_IMAGES] if known else None
    return images, labels, "test images" if source is None else "images"


def _are_for(path: Path, model: VAE) -> bool:
    """Return whether a file of prepared images exists and has the model's shape."""
    if not path.is_file():
        return False
    return load_split(path).images.shape[1:] == model.image_shape
