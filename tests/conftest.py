"""What several test modules share."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from repository import NAME, Repeated, Repository, run_again, run_small_pipeline

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes, one has all the tests of what `repository` is made for; else, each file is whole in one."""
    for item in items:
        shared = "repository" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("repository" if shared else str(item.path)))


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
    return run_small_pipeline(root, tmp_path_factory.mktemp("clone") / NAME)


@pytest.fixture(scope="session")
def compared(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A copy in which an experiment, `slow`, has changed what the figures and the plots show."""
    copy = repository.copy(tmp_path_factory.mktemp("compared") / "repository")
    copy.output = copy.dvc("exp", "run", "--name", "slow", "-S", "train.learning_rate=0.001")
    return copy


@pytest.fixture(scope="session")
def repeated(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repeated:
    """A copy in which all has been run again, in a locale without UTF-8, and a second run been tried meanwhile."""
    return run_again(repository, tmp_path_factory.mktemp("repeated") / "a repository")
