"""The whole benchmark, or some of its parts: `python -m benchmarks [PART …]`.

Run from the repository's root, after `dvc repro`, on a machine that does nothing else. Each part renews its own section
of `reports/benchmark.json`.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from vae.files import write_json

REPORT = Path("reports/benchmark.json")
PARTS = ("step", "variants", "scaling", "stages", "precision", "post", "quality")
SECTIONS = {"quality": "time_to_quality"}
LIBRARIES = ("tensorflow", "keras", "numpy", "openTSNE", "dvc")


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, cores, memory, Python and libraries."""
    cpuinfo = Path("/proc/cpuinfo")
    facts = (
        dict(line.split("\t", 1) for line in cpuinfo.read_text().splitlines() if "\t" in line)
        if cpuinfo.exists()
        else {}
    )
    flags = facts.get("flags", "").split()
    return {
        "processor": facts.get("model name", platform.processor()).lstrip("\t: "),
        "instructions": [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def run(part: str, torch_python: Path) -> None:
    """One part: measures, and renews its section of the report."""
    module = importlib.import_module(f"benchmarks.{'quality' if part == 'post' else part}")
    if part == "post":
        module.train_post()
        return
    section = module.measure(torch_python) if part == "step" else module.measure()
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    report[SECTIONS.get(part, part)] = {**section, "machine": machine()}
    write_json(REPORT, report)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, if none is named: {', '.join(PARTS)}")
    parser.add_argument("--torch-python", default=".venv/torch/bin/python", help="a Python that has PyTorch")
    arguments = parser.parse_args()
    parts = arguments.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: the parts are {', '.join(PARTS)}.")
    if len(parts) == 1:
        run(parts[0], Path(arguments.torch_python))
        return
    for part in parts:  # each in a process of its own, so that none starts with the memory of another
        print(f"== {part}", flush=True)
        command = [sys.executable, "-m", "benchmarks", part, "--torch-python", arguments.torch_python]
        subprocess.run(command, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
