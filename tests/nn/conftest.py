"""Sets TensorFlow up before any test module imports Keras, as `vae.nn` does for the stages."""

import numpy as np
import pytest
from numpy.typing import NDArray

import vae.nn  # noqa: F401


@pytest.fixture
def images() -> NDArray[np.float32]:
    """Six images of dark noise."""
    return np.random.default_rng(0).uniform(size=(6, 28, 28, 1)).astype("float32") ** 4
