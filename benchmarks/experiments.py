"""Run the pipeline, or a part of it, with other settings, as a DVC experiment. DVC reuses what it ran before."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import dvc.api

from vae.errors import InputError

DVC = [sys.executable, "-m", "dvc"]


def run_experiment(name: str, settings: dict[str, object], targets: Sequence[str] = ()) -> None:
    """Run an experiment in a temporary folder. Its name is then a revision that DVC and git know.

    Args:
        name: the name of the experiment, which replaces a former one of that name.
        settings: the settings that differ from `params.yaml`, by dotted key.
        targets: the stages to run, with the stages before them; an empty sequence runs all stages.
    """
    subprocess.run([*DVC, "exp", "remove", "--quiet", name], check=False, capture_output=True)  # noqa: S603
    changes = [word for key, value in settings.items() for word in ("-S", f"{key}={value}")]
    run_command([*DVC, "exp", "run", "--temp", "--name", name, *changes, *targets])


def run_command(command: Sequence[str]) -> None:
    """Run a command that prints its own errors.

    Raises:
        InputError: it failed.
    """
    status = subprocess.run(command, check=False).returncode  # noqa: S603
    if status:
        raise InputError(f"`{' '.join(command[1:])}` ended with status {status}.")


def details(stage: str, revision: str | None = None) -> dict[str, Any]:
    """Return all results of a stage, at a revision or in the workspace."""
    with dvc.api.open(f"reports/details/{stage}.json", rev=revision) as file:
        results: dict[str, Any] = json.load(file)
    return results
