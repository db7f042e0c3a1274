"""Fixtures that several test modules share."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from repository import NAME, Repeated, Repository, run_again, run_small_pipeline

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class ByCheckout(LoadScopeScheduling):
    """One of several processes runs all tests that need the small pipeline's checkout; other files are not divided.

    xdist's own groups, by marks, have no effect in pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "repository" if needs_checkout(nodeid) else nodeid.split("::")[0]


def needs_checkout(nodeid: str) -> bool:
    """Return whether a test is in a file that uses the small pipeline's checkout."""
    return "from repository import" in (ROOT / nodeid.split("::")[0]).read_text(encoding="utf-8")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests in the checkout: they take longest, and the other process runs the rest meanwhile."""
    items.sort(key=lambda item: not needs_checkout(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByCheckout:
    return ByCheckout(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the path of the checkout."""
    return ROOT


@pytest.fixture
def images() -> NDArray[np.float32]:
    """Return six images of dark noise."""
    return np.random.default_rng(0).uniform(size=(6, 28, 28, 1)).astype("float32") ** 4


@pytest.fixture(scope="session")
def blobs() -> NDArray[np.float32]:
    """Forty images of one bright square, somewhere. Not to be changed."""
    rng = np.random.default_rng(0)
    images = np.zeros((40, 28, 28, 1), "float32")
    for image, (row, column) in zip(images, rng.integers(4, 16, size=(40, 2)), strict=True):
        image[row : row + 8, column : column + 8] = 1
    images.flags.writeable = False
    return images


@pytest.fixture(scope="session")
def run_python(root: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a fresh Python, in another working folder; folders given as `stubs` come first on its path."""

    def run(code: str, cwd: Path, stubs: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, filter(None, (stubs, root / "src"))))
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": path} | env,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="session")
def repository(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a copy of this checkout, uncommitted changes included, with the small pipeline run and committed."""
    return run_small_pipeline(root, tmp_path_factory.mktemp("clone") / NAME)


@pytest.fixture(scope="session")
def compared(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a copy in which an experiment, `slow`, has changed the metrics and the plots."""
    copy = repository.copy(tmp_path_factory.mktemp("compared") / "repository")
    copy.output = copy.dvc("exp", "run", "--name", "slow", "-S", "train.learning_rate=0.001")
    return copy


@pytest.fixture(scope="session")
def repeated(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repeated:
    """Return a copy in which everything was run again, without UTF-8, and a second run was tried meanwhile."""
    return run_again(repository, tmp_path_factory.mktemp("repeated") / "a repository")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield the browser that CHROMIUM names, or else the first on PATH."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        missing = f"no browser: none of {', '.join(BROWSERS)} on PATH, and CHROMIUM is not set"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    arguments = ["--disable-gpu", "--disable-sync", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND"]
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=arguments)
