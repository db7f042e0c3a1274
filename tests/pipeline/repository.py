"""A checkout in which tests run the real pipeline on a few hundred images, as a stranger would."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from commands import Commands

SMALL: dict[str, dict[str, Any]] = {
    "prepare": {"share": 0.01, "validation_size": 100},
    "model": {"latent_dim": 4},
    "train": {"epochs": 2, "learning_rate": 0.005},
    "evaluate": {"samples": 2},
    "visualize": {"tsne_points": 80, "perplexity": 10, "prior_samples": 9},
    "classify": {"epochs": 8, "batch_size": 32},
    "score": {"mixture_components": 3},
}

# Variables that the user who runs the tests may have set, or the make that runs them.
OWN = ("GIT_", "LC_", "LANG", "PYTHON", "XDG_", "EMAIL", "MAKE", "MFLAGS")
# Python treats the locale C as UTF-8, unless these variables forbid it.
UTF8 = MappingProxyType({"LC_ALL": "C"})
ASCII = MappingProxyType({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})

# Not a literal, which would not be a valid path in a locale without UTF-8.
NAME = os.fsdecode("é ü 数 repository".encode())


class Repository(Commands):
    """A checkout in which commands run as a user would run them, with the environment activated.

    The user's home is empty, git does not know their name, and their locale is C: `UTF8` where Python may treat it as
    UTF-8, `ASCII` where it may not. Under `ASCII` some packages cannot be imported from a path that is not ASCII, so
    the environment is reached by a link.
    """

    output: str
    """The output of DVC when the pipeline was last run."""

    def __init__(self, path: Path, locale: Mapping[str, str] = UTF8) -> None:
        self.path = path
        home = path.parent / "home"
        environment = path.parent / "environment"
        home.mkdir()
        environment.symlink_to(sys.prefix)
        (path.parent / "src").symlink_to(path / "src")  # where the environment's relative link to the package leads
        self.python = str(environment / "bin/python")
        others = [path for path in os.environ["PATH"].split(os.pathsep) if Path(path) != Path(sys.prefix) / "bin"]
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(OWN)} | {
            "PATH": os.pathsep.join([str(environment / "bin"), *others]),
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            **locale,
        }

    def copy(self, path: Path, locale: Mapping[str, str] = UTF8) -> "Repository":
        """Copy it to another place, with its outputs and DVC's cache."""
        return Repository(shutil.copytree(self.path, path, symlinks=True), locale)

    def dvc(self, *arguments: str, status: int = 0) -> str:
        return self.run(self.python, "-m", "dvc", *arguments, status=status)

    def read_json(self, name: str) -> Any:
        """Return the contents of `reports/<name>.json`."""
        return json.loads((self.path / f"reports/{name}.json").read_text(encoding="utf-8"))

    def change(self, changes: dict[str, dict[str, Any]]) -> None:
        params = yaml.safe_load((self.path / "params.yaml").read_text(encoding="utf-8"))
        for section, values in changes.items():
            params[section] |= values
        (self.path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def run_small_pipeline(root: Path, path: Path) -> Repository:
    """Copy the checkout `root`, uncommitted changes included, to `path`; run the small pipeline and commit it."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and name != "dvc.lock" and (root / name).exists():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, path / name, follow_symlinks=False)
    repository = Repository(path)
    repository.change(SMALL)
    repository.run("git", "init", "--quiet")
    repository.output = repository.dvc("repro")
    repository.run("git", "add", ".")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    repository.run("git", *identity, "commit", "--quiet", "--message", "run")
    return repository


class Repeated(NamedTuple):
    repository: Repository
    first: str
    """The output of `dvc repro --force` there."""
    second: str
    """The output of a `dvc repro` that was started there meanwhile and ended with status 255."""


def run_again(repository: Repository, path: Path) -> Repeated:
    """Copy the repository to `path`, run its pipeline there in the locale `ASCII`, and try a second run meanwhile."""
    copy = repository.copy(path, ASCII)
    with copy.start(copy.python, "-m", "dvc", "repro", "--force") as process:
        assert process.stdout
        first = []
        for line in process.stdout:
            first.append(line)
            if "Running stage 'train'" in line:
                break
        second = copy.dvc("repro", status=255)
        first += process.stdout
    assert process.returncode == 0, "".join(first)
    return Repeated(copy, "".join(first), second)


def stages_run(output: str) -> list[str]:
    """Return the stages that DVC ran, rather than skipped or restored from the cache, in order."""
    return re.findall(r"Running stage '(\w+)'", output)
