"""Sets TensorFlow up before any test module imports Keras, as `vae.nn` does for the stages; a small training set."""

import vae.nn  # noqa: F401

# isort: split
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def blobs() -> NDArray[np.float32]:
    """Forty images of one bright square, somewhere."""
    rng = np.random.default_rng(0)
    images = np.zeros((40, 28, 28, 1), "float32")
    for image, (row, column) in zip(images, rng.integers(4, 16, size=(40, 2)), strict=True):
        image[row : row + 8, column : column + 8] = 1
    return images
