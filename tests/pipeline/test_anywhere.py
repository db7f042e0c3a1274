"""The pipeline runs anywhere: without a name for git, without UTF-8, with read-only raw data, and twice at a time.

`repository` runs in a path with a space and letters beyond ASCII; `repeated` runs in a locale without UTF-8.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from repository import Repeated, Repository

SPLITS = ("train", "validation", "test")

# Mounts the folder $0 on itself as read-only, checks that it is, and becomes the command.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/probe" 2>/dev/null && exec "$@"'


@pytest.mark.slow
def test_the_page_of_the_plots_is_the_same_without_utf8(repository: Repository, repeated: Repeated) -> None:
    pages = []
    for where in (repository, repeated.repository):
        where.dvc("plots", "show")
        pages.append((where.path / "dvc_plots/index.html").read_text(encoding="utf-8"))
    assert r"Loss (\u2212ELBO)" in pages[0]
    assert pages[1] == pages[0]


@pytest.mark.slow
def test_a_second_run_reports_that_the_first_is_running(repeated: Repeated) -> None:
    assert re.search(r"is busy, it is being blocked by|Unable to acquire lock", repeated.second)
    assert "Running stage" not in repeated.second
    assert "Traceback" not in repeated.first + repeated.second


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the start of a command line that runs a command with a folder mounted read-only; both follow."""
    folder = tmp_path_factory.mktemp("mounted")
    for namespace in (["--mount"], ["--mount", "--user", "--map-root-user"]):
        start = ["unshare", *namespace, "sh", "-c", READ_ONLY]
        if shutil.which("unshare") and not subprocess.run([*start, folder, "true"], capture_output=True).returncode:
            return start
    reason = "no folder can be mounted read-only: `unshare --mount` is missing or not allowed"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture
def unprepared(repository: Repository, tmp_path: Path) -> Repository:
    """Return a folder with only the code, the parameters and the raw data of the repository."""
    for name in ("src", "data/raw"):
        shutil.copytree(repository.path / name, tmp_path / "repository" / name)
    shutil.copy(repository.path / "params.yaml", tmp_path / "repository")
    return Repository(tmp_path / "repository")


@pytest.mark.slow
def test_read_only_raw_data_can_be_prepared(
    repository: Repository, unprepared: Repository, read_only: list[str]
) -> None:
    unprepared.run(*read_only, "data/raw", unprepared.python, "src/prepare.py")
    for name in SPLITS:
        prepared = [where.path / f"data/prepared/{name}.npz" for where in (unprepared, repository)]
        assert prepared[0].read_bytes() == prepared[1].read_bytes()


@pytest.mark.slow
def test_read_only_raw_data_that_are_damaged_are_reported_in_one_line(
    unprepared: Repository, read_only: list[str]
) -> None:
    path = unprepared.path / "data/raw/mnist/train-labels-idx1-ubyte.gz"
    path.unlink()
    path.write_bytes(b"broken")
    (error,) = unprepared.run(*read_only, "data/raw", unprepared.python, "src/prepare.py", status=1).splitlines()
    assert error.startswith("error: data/raw/mnist/train-labels-idx1-ubyte.gz is not the published file")
    assert not (unprepared.path / "data/prepared").exists()
