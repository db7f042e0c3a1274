"""Seconds and peak memory of each stage, as DVC runs it, and what `dvc repro` takes when there is nothing to do."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

DVC = [sys.executable, "-m", "dvc"]
ONE_STAGE = {"stages": {"none": {"cmd": "echo > done", "outs": ["done"]}}}


def measure() -> dict[str, Any]:
    """Runs each stage anew, in order, in place; prints and returns the table."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    rows = {name: run([*DVC, "repro", "--force", "--single-item", name]) for name in stages}
    print(pd.DataFrame(rows).T.to_string(float_format="{:.1f}".format), flush=True)
    return {"stages": rows, "nothing_to_do": nothing_to_do()}


def run(command: list[str]) -> dict[str, float]:
    """Wall-clock seconds, and the peak resident memory in MiB of the largest of the processes that it starts."""
    started = time.perf_counter()
    program = subprocess.Popen(command)  # noqa: S603, commands of this module
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit(f"error: `{' '.join(command)}` ended with status {program.returncode}.")
    return {"seconds": time.perf_counter() - started, "peak_mib": usage.ru_maxrss / 1024}


def nothing_to_do(rounds: int = 7) -> dict[str, float]:
    """Median seconds of `dvc repro` with nothing to do: here, and in a git repository of one trivial stage, in turn."""
    seconds: dict[str, list[float]] = {"pipeline": [], "one_trivial_stage": []}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "dvc.yaml").write_text(yaml.safe_dump(ONE_STAGE), encoding="utf-8")
        for command in (["git", "init", "--quiet"], [*DVC, "init", "--quiet"], [*DVC, "repro", "--quiet"]):
            subprocess.run(command, cwd=folder, check=True)  # noqa: S603
        for _ in range(rounds):
            for name, place in {"pipeline": ".", "one_trivial_stage": folder}.items():
                started = time.perf_counter()
                done = subprocess.run([*DVC, "repro"], cwd=place, check=True, capture_output=True, text=True)  # noqa: S603
                seconds[name].append(time.perf_counter() - started)
                if "up to date" not in done.stdout:
                    raise SystemExit("error: there was something to do; run `dvc repro` before this benchmark.")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    line = "`dvc repro` with nothing to do: {pipeline:.2f} s; with one trivial stage {one_trivial_stage:.2f} s"
    print(line.format_map(medians), flush=True)
    return medians
