"""A checkout in which tests run the real pipeline on a few hundred images."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

SMALL = {
    "prepare": {"share": 0.01, "validation_size": 100},
    "train": {"epochs": 2, "latent_dim": 4, "learning_rate": 0.005},
    "evaluate": {"samples": 2},
    "visualize": {"tsne_points": 80, "perplexity": 10, "prior_samples": 9},
    "classify": {"epochs": 8, "batch_size": 32},
    "score": {"mixture_components": 3},
}


class Repository:
    """A checkout in which commands are run as a user would, the environment not activated."""

    def __init__(self, path: Path) -> None:
        self.path = path
        activated = Path(sys.prefix) / "bin"
        self.env = os.environ | {
            "PATH": os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != activated),
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
        }

    def run(self, *command: str, status: int = 0) -> str:
        done = subprocess.run(
            command, cwd=self.path, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def dvc(self, *arguments: str, status: int = 0) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments, status=status)

    def change(self, changes: dict[str, dict[str, Any]]) -> None:
        params = yaml.safe_load((self.path / "params.yaml").read_text(encoding="utf-8"))
        for section, values in changes.items():
            params[section] |= values
        (self.path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def run_small_pipeline(root: Path, path: Path) -> Repository:
    """Copies the checkout `root`, uncommitted changes included, to `path`; runs the small pipeline and commits it."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and name != "dvc.lock" and (root / name).exists():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, path / name)
    repository = Repository(path)
    repository.change(SMALL)
    repository.run("git", "init", "--quiet")
    repository.output = repository.dvc("repro")
    repository.run("git", "add", ".")
    repository.run("git", "commit", "--quiet", "--message", "run")
    return repository
