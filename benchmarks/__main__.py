"""Run the whole benchmark, or some of its parts: `python -m benchmarks [PART …]`.

Run it from the root of the repository, after `dvc repro`, on a machine that does nothing else. Each part replaces its
own section of `reports/benchmark.json`.
"""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

import argparse
import importlib
import json
import sys
from pathlib import Path

from benchmarks.experiments import run_command
from benchmarks.machine import facts
from vae.io.tables import write_json
from vae.stage import run_stage

REPORT = Path("reports/benchmark.json")
PARTS = (
    *("step", "gpu", "variants", "bound", "encode", "encode_parts", "export", "durability", "scaling", "streaming"),
    *("memory", "growth", "sweep", "stages", "tutorial", "quality"),
)
SECTIONS = {"quality": "time_to_quality"}


def run(part: str, torch_python: Path) -> None:
    """Measure one part and replace its section of the report."""
    module = importlib.import_module(f"benchmarks.{'quality' if part == 'tutorial' else part}")
    if part == "tutorial":
        module.train_tutorial()
        return
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    if part == "step":  # a machine without bfloat16 keeps the bfloat16 results of another machine
        report[part] = report.get(part, {}) | module.measure(torch_python)
    elif results := module.measure():  # a machine without a GPU keeps the results of another, too
        report[SECTIONS.get(part, part)] = {**results, "machine": facts()}
    write_json(REPORT, report)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: all, which are {', '.join(PARTS)}")
    parser.add_argument("--torch-python", default=".venv/torch/bin/python", help="a Python with PyTorch")
    arguments = parser.parse_args()
    parts = arguments.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}.")
    if len(parts) == 1:
        run(parts[0], Path(arguments.torch_python))
        return
    for part in parts:  # each in its own process, so that none starts with the memory of another
        print(f"== {part}", flush=True)
        command = [sys.executable, "-m", "benchmarks", part, "--torch-python", arguments.torch_python]
        run_command(command)


if __name__ == "__main__":
    run_stage(main)
