"""The pinned requirements, and the environment that make builds from them."""

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
FILES = ("requirements-uv.txt", "requirements.txt", "requirements-dev.txt")


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


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True)


def test_a_folder_without_git_is_refused_before_anything_is_installed(unpacked: Path) -> None:
    done = make(unpacked, "repro")
    assert done.returncode == 2
    assert done.stderr.startswith("error: this folder is not a git repository, which DVC needs: ")
    assert not (unpacked / ".venv").exists()


def test_a_moved_or_copied_checkout_makes_its_environment_again(unpacked: Path) -> None:
    (unpacked / ".git").mkdir()
    (unpacked / ".venv").mkdir()
    for name in ("ready", "ready-dev"):
        (unpacked / ".venv" / name).touch()
    # in the same place, the environment is up to date
    (unpacked / ".venv/place").write_text(f"{unpacked.resolve()}\n", encoding="utf-8")
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
