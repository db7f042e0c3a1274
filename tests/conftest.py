"""What several test modules share."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdist.scheduler import LoadScopeScheduling

from repository import NAME, Repeated, Repository, run_again, run_small_pipeline

ROOT = Path(__file__).parents[1]


class ByCheckout(LoadScopeScheduling):
    """Of several processes, one has all the tests of a small pipeline's checkout; else, each file is whole in one.

    xdist's own groups, by marks, are without effect in pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        needs_checkout = "from repository import" in (ROOT / file).read_text(encoding="utf-8")
        return "repository" if needs_checkout else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByCheckout:
    return ByCheckout(config, log)


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
