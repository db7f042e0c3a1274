"""What the results depend on: the code, the processor and its cores, Python and the libraries."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

LIBRARIES = ("tensorflow", "keras", "numpy", "openTSNE", "dvc")


def facts() -> dict[str, Any]:
    """Describe this machine and what is installed on it. Only Linux lists the processor's instructions."""
    cpuinfo = Path("/proc/cpuinfo")
    processor = (
        dict(line.split("\t", 1) for line in cpuinfo.read_text().splitlines() if "\t" in line)
        if cpuinfo.exists()
        else {}
    )
    flags = processor.get("flags", "").split()
    return {
        "commit": _commit(),
        "processor": processor.get("model name", platform.processor()).lstrip("\t: "),
        "instructions": [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _commit() -> str | None:
    """Return the commit that is checked out; None outside a git repository."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip() or None  # noqa: S603


def has_bfloat16() -> bool:
    """Return whether the processor has instructions that multiply bfloat16 numbers."""
    return any(name.endswith("_bf16") for name in facts()["instructions"])
