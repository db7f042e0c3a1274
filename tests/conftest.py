"""What several test modules share."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def images() -> NDArray[np.float32]:
    """Six images of dark noise."""
    return np.random.default_rng(0).uniform(size=(6, 28, 28, 1)).astype("float32") ** 4
