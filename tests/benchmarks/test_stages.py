import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stages import make_repository, run, seconds_of_nothing


def test_seconds_and_peak_memory_include_what_a_command_starts(root: Path) -> None:
    child = "import time; x = b'1' * 300_000_000; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    # In its own process: what a large process starts counts as large from its start.
    code = "import json, sys; from benchmarks.stages import run; print(json.dumps(run(sys.argv[1:])))"
    command = [sys.executable, "-c", code, sys.executable, "-c", parent]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    assert 0.5 < measured["seconds"] < 30
    assert 300 < measured["peak_mib"] * 2**20 / 1e6 < 340


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="ended with status 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.slow
def test_a_repository_of_the_same_stages_has_nothing_to_do_until_a_dependency_changes(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("package/__init__.py", "package/inner/module.py", "package/__pycache__/module.cpython-311.pyc"):
        (workspace / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / "src" / name).write_text("here")
    first = {"deps": ["src/first.py", "src/package"], "params": ["seed", "train"], "outs": ["data/prepared/test.npz"]}
    second = {"deps": ["data/prepared", "src/package/inner/module.py"], "outs": ["models/vae.keras"]}
    third = {"deps": ["models/vae.keras"], "plots": [{"reports/history.csv": {"cache": False}}]}
    folder = tmp_path_factory.mktemp("same")
    make_repository(folder, {"first": first, "second": second, "third": third})
    for name in (
        *("src/first.py", "src/package/__init__.py", "src/package/inner/module.py"),
        *("data/prepared/train.npz", "data/prepared/test.npz", "models/vae.keras", "reports/history.csv"),
    ):
        assert (folder / name).read_bytes() == b""
    assert not (folder / "src/package/__pycache__").exists()
    assert seconds_of_nothing(folder) > 0
    (folder / "src/package/inner/module.py").write_text("changed")
    with pytest.raises(SystemExit, match="there was something to do"):
        seconds_of_nothing(folder)
