"""Run the pipeline, or a part of it, with other settings, as a DVC experiment. DVC reuses what it ran before."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import dvc.api

from benchmarks.presets import as_options
from vae.errors import InputError

DVC = [sys.executable, "-m", "dvc"]
ON_MNIST: Mapping[str, object] = {
    **{"prepare.dataset": "mnist", "prepare.share": 1.0, "prepare.image_size": "null", "prepare.channels": "null"},
    "model.conditional": False,
}
"""Settings of the studies of p(x) on MNIST, which do not depend on `params.yaml`."""


def run_experiment(name: str, settings: dict[str, object], targets: Sequence[str] = ()) -> str:
    """Run an experiment in a temporary folder. Its name is then a revision that DVC and git know.

    Returns:
        What it printed, apart from progress bars and errors.

    Args:
        name: the name of the experiment, which replaces a former one of that name.
        settings: the settings that differ from `params.yaml`, by dotted key.
        targets: the stages to run, with the stages before them; an empty sequence runs all stages.

    Raises:
        InputError: it failed.
    """
    subprocess.run([*DVC, "exp", "remove", "--quiet", name], check=False, capture_output=True)  # noqa: S603
    return run_command([*DVC, "exp", "run", "--temp", "--name", name, *as_options(settings), *targets])


def run_command(command: Sequence[str]) -> str:
    """Run a command that prints its own errors; print and return what it prints otherwise.

    Raises:
        InputError: it failed.
    """
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:  # noqa: S603
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise InputError(f"`{' '.join(command[1:])}` ended with status {process.returncode}.")
    return "".join(lines)


def details(stage: str, revision: str | None = None) -> dict[str, Any]:
    """Return all results of a stage, at a revision or in the workspace."""
    with dvc.api.open(f"reports/details/{stage}.json", rev=revision) as file:
        results: dict[str, Any] = json.load(file)
    return results
