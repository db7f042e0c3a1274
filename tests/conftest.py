"""What several test modules share."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from repository import Repository, run_small_pipeline

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def images() -> NDArray[np.float32]:
    """Six images of dark noise."""
    return np.random.default_rng(0).uniform(size=(6, 28, 28, 1)).astype("float32") ** 4


@pytest.fixture(scope="session")
def repository(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A copy of this checkout, uncommitted changes included, in which the small pipeline has been run and committed."""
    return run_small_pipeline(root, tmp_path_factory.mktemp("clone") / "repository")
