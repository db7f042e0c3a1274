"""Seconds and peak memory of each stage, as DVC runs it, and the seconds of `dvc repro` when there is nothing to do."""

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.experiments import DVC


def measure() -> dict[str, Any]:
    """Run each stage again, in order and in place; print and return the table."""
    stages = read_stages(Path())
    rows = {name: run([*DVC, "repro", "--force", "--single-item", name]) for name in stages}
    print(pd.DataFrame(rows).T.to_string(float_format="{:.1f}".format), flush=True)
    return {"stages": rows, "nothing_to_do": nothing_to_do(stages)}


def read_stages(folder: Path) -> dict[str, Any]:
    """Return the stages in the folder's `dvc.yaml`, with the values of `params.yaml` in place of `${section.key}`."""
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    template = (folder / "dvc.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+)\.(\w+)\}", lambda match: str(params[match[1]][match[2]]), template)
    stages: dict[str, Any] = yaml.safe_load(text)["stages"]
    return stages


def run(command: list[str], folder: Path = Path()) -> dict[str, float]:
    """Run a command in a folder; return its wall-clock seconds, and the peak memory in MiB of its largest process."""
    started = time.perf_counter()
    program = subprocess.Popen(command, cwd=folder)  # noqa: S603, commands of this module
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit(f"error: `{' '.join(command)}` ended with status {program.returncode}.")
    return {"seconds": time.perf_counter() - started, "peak_mib": usage.ru_maxrss / 1024}


def nothing_to_do(stages: dict[str, Any], rounds: int = 9) -> dict[str, float]:
    """Return the median seconds of `dvc repro` with nothing to do, in turn in three repositories.

    They are this one; one with the same stages and files, all empty, to see how long DVC looks at so many; and one with
    a single trivial stage, to see how long DVC takes to start.
    """
    with tempfile.TemporaryDirectory() as parent:
        places = {"pipeline": Path(), "same_stages_of_empty_files": Path(parent, "same")}
        places["one_trivial_stage"] = Path(parent, "one")
        make_repository(places["same_stages_of_empty_files"], stages)
        make_repository(places["one_trivial_stage"], {"none": {"outs": ["done"]}})
        rows = []
        for r in range(rounds):
            order = [*places][r % len(places) :] + [*places][: r % len(places)]
            rows.append({name: seconds_of_nothing(places[name]) for name in order})
    medians = {name: statistics.median(row[name] for row in rows) for name in places}
    print(
        "`dvc repro` with nothing to do: {pipeline:.2f} s; with the same stages of empty files "
        "{same_stages_of_empty_files:.2f} s; with one trivial stage {one_trivial_stage:.2f} s".format_map(medians),
        flush=True,
    )
    return medians


def outputs(stage: dict[str, Any]) -> list[str]:
    """Return the paths of a stage's outputs. An output with options is a mapping from its path to them."""
    entries = (entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, []))
    return [path for entry in entries for path in ([entry] if isinstance(entry, str) else entry)]


def files(dependency: str) -> list[str]:
    """Return the files of a dependency: those in its folder, if it is one in the working folder, or the file itself."""
    inside = (path for path in Path(dependency).rglob("*.*") if path.is_file() and "__pycache__" not in path.parts)
    return [path.as_posix() for path in inside] or [dependency]


def make_repository(folder: Path, stages: dict[str, Any]) -> None:
    """Make a git and DVC repository of these stages, with empty files, and run it once.

    The stages make their outputs, which are empty too. `params.yaml` and the files in folders that are dependencies are
    the same as in the working folder.
    """
    made = {path for stage in stages.values() for path in outputs(stage)}
    read = {path for stage in stages.values() for dep in stage.get("deps", []) for path in files(dep)} - made
    for path in read | made:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    for path in read:
        (folder / path).touch()
    shutil.copy("params.yaml", folder)
    emptied = {name: stage | {"cmd": f"touch {' '.join(outputs(stage))}"} for name, stage in stages.items()}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": emptied}), encoding="utf-8")
    for command in (["git", "init", "--quiet"], [*DVC, "init", "--quiet"], [*DVC, "repro", "--quiet"]):
        subprocess.run(command, cwd=folder, check=True)  # noqa: S603


def seconds_of_nothing(folder: Path) -> float:
    """Return the seconds of one `dvc repro` in a folder where there is nothing to do."""
    started = time.perf_counter()
    done = subprocess.run([*DVC, "repro"], cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603
    seconds = time.perf_counter() - started
    if "up to date" not in done.stdout:
        raise SystemExit("error: there was something to do; run `dvc repro` before this benchmark.")
    return seconds
