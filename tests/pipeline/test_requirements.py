"""The pinned requirements, and the environment that make builds from them."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from imports import ROOT

PIN = re.compile(r"^([\w.-]+)(?:\[(.*)\])?==", re.MULTILINE)
FILES = tuple(sorted(path.name for path in ROOT.glob("requirements*.txt")))


@pytest.mark.parametrize("file", FILES)
def test_every_pin_has_hashes_and_no_host_is_named(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "://" not in text
    for requirement in re.split(r"\n(?=\w)", text.strip()):
        assert "--hash=sha256:" in requirement, requirement


def test_the_pins_include_every_extra_that_a_pinned_package_requires() -> None:
    # An installer may treat `coverage[toml]` as not pinned next to a pinned `coverage`, and refuse to install it.
    pinned: dict[str, set[str]] = {}
    for file in FILES:
        for name, extras in PIN.findall((ROOT / file).read_text(encoding="utf-8")):
            pinned.setdefault(canonicalize_name(name), set()).update(re.findall(r"[\w.-]+", extras))
    required = {
        (canonicalize_name(requirement.name), extra)
        for distribution in distributions()
        if canonicalize_name(distribution.name) in pinned
        for requirement in map(Requirement, distribution.requires or [])
        if not requirement.marker or requirement.marker.evaluate({"extra": ""})
        for extra in requirement.extras
    }
    assert required
    assert {(name, extra) for name, extra in required if extra not in pinned[name]} == set()


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A folder with the files that make reads, as from a ZIP file: without .git."""
    for name in ("Makefile", "pyproject.toml", *FILES):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    others = ("GIT_", "LC_", "LANG", "MAKE", "MFLAGS")
    env = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return subprocess.run(["make", *arguments], cwd=folder, env=env | variables, capture_output=True, text=True)


def test_a_folder_without_git_is_refused_before_anything_is_installed(unpacked: Path) -> None:
    done = make(unpacked, "repro")
    assert done.returncode == 2
    assert done.stderr.startswith("error: this folder is not a git repository, which DVC needs: ")
    assert not (unpacked / ".venv").exists()


def installed(folder: Path) -> Path:
    """Make `folder` a repository whose environment is up to date."""
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    (folder / ".venv").mkdir()
    (folder / ".venv/place").write_text(f"{folder.resolve()}\n", encoding="utf-8")
    for name in ("ready", "ready-export", "ready-s3", "ready-dev"):
        (folder / ".venv" / name).touch()
    return folder


@pytest.mark.parametrize("target", ["params", "repro", "test", "seeds", "effects"])
def test_a_checkout_of_another_user_is_refused_before_anything_runs(
    unpacked: Path, tmp_path_factory: pytest.TempPathFactory, target: str
) -> None:
    home, repository = tmp_path_factory.mktemp("home"), installed(unpacked)
    # git's own variable for its tests; the second is what a German sees
    another = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "LANGUAGE": "de", "HOME": str(home)}
    cure = f"git config --global --add safe.directory '{repository.resolve()}'"
    refused = make(repository, target, **another)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[0] == (
        f"error: this folder belongs to another user, so git and DVC refuse it: if you trust its contents, run {cure}"
    )
    subprocess.run(["sh", "-c", cure], env=os.environ | {"HOME": str(home)}, check=True)
    assert make(repository, "git-clone", **another).returncode == 0


def test_a_damaged_repository_is_refused_with_the_reason_of_git(unpacked: Path) -> None:
    (installed(unpacked) / ".git/HEAD").unlink()
    assert make(unpacked, "params").stderr.startswith("error: git cannot read this repository: fatal: not a git repo")


def test_another_word_than_one_for_the_gpu_is_refused_instead_of_ignored(unpacked: Path) -> None:
    refused = make(unpacked, "params", "GPU=yes")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert '*** GPU is "yes", but must be 1, for NVIDIA\'s libraries, or 0.' in refused.stderr


@pytest.mark.parametrize("target", ["seeds", "effects"])
def test_experiments_are_refused_in_a_repository_without_a_commit(unpacked: Path, target: str) -> None:
    done = make(installed(unpacked), target)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: this git repository has no commit, from which DVC's experiments start: ")


@pytest.mark.parametrize("target", ["seeds", "effects"])
def test_experiments_are_refused_where_git_knows_no_name(
    unpacked: Path, tmp_path_factory: pytest.TempPathFactory, target: str
) -> None:
    home = {"HOME": str(tmp_path_factory.mktemp("home")), "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    commit = ["git", *identity, "commit", "--quiet", "--allow-empty", "--message", "empty"]
    subprocess.run(commit, cwd=installed(unpacked), check=True)
    done = make(unpacked, target, **home)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: git knows no name for you, which DVC's experiments need: ")
    named = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    assert make(unpacked, "git-commit", **home, **named).returncode == 0
    del named["GIT_COMMITTER_EMAIL"]
    assert make(unpacked, "git-commit", **home, **named).returncode == 2


def test_a_machine_without_git_is_reported(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    programs, repository = tmp_path_factory.mktemp("programs"), installed(unpacked)
    for name in ("sh", "make", "cat", "pwd", "rm"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = make(repository, "params", PATH=str(programs))
    assert done.stderr.startswith("error: git is not installed, but DVC needs it.\n")


def test_a_moved_or_copied_checkout_makes_its_environment_again(unpacked: Path) -> None:
    installed(unpacked)
    # in the same place, the environment is up to date
    assert "-m venv" not in make(unpacked, "--dry-run", "params").stdout
    copied = shutil.copytree(unpacked, unpacked.parent / "copied")
    assert "-m venv --clear .venv" in make(copied, "--dry-run", "params").stdout


def test_the_package_is_importable_from_anywhere_by_a_relative_path(tmp_path: Path) -> None:
    # Python 3.11 reads a `.pth` file in the locale's encoding, in which an absolute path may be invalid.
    (link,) = Path(sysconfig.get_path("purelib")).glob("vae_pipeline.pth")
    assert link.read_text(encoding="ascii") == "../../../../src\n"
    code = "import sys, vae; print(vae.__version__, 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout == f"{tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']} False\n"
