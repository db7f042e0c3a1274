import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stages import make_repository, run, seconds_of_nothing


def test_seconds_and_peak_memory_of_a_command_and_what_it_starts(root: Path) -> None:
    child = "import time; x = b'1' * 300_000_000; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    # In a process of its own: what is started from one that is large counts as large from its start.
    code = "import json, sys; from benchmarks.stages import run; print(json.dumps(run(sys.argv[1:])))"
    command = [sys.executable, "-c", code, sys.executable, "-c", parent]
    env = os.environ | {"PYTHONPATH": "src"}
    done = subprocess.run(command, cwd=root, env=env, check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout)
    assert 0.5 < figures["seconds"] < 30
    assert 300 < figures["peak_mib"] * 2**20 / 1e6 < 340


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="ended with status 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.slow
def test_a_repository_of_the_same_stages_has_nothing_to_do_until_a_dependency_changes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    folder = tmp_path / "repository"
    first = {"deps": ["src/first.py"], "params": ["seed"], "outs": ["models/vae"]}
    second = {"deps": ["models/vae"], "plots": [{"reports/history.csv": {"cache": False}}]}
    make_repository(folder, {"first": first, "second": second})
    for name in ("src/first.py", "models/vae", "reports/history.csv"):
        assert (folder / name).read_bytes() == b""
    assert seconds_of_nothing(folder) > 0
    (folder / "src/first.py").write_text("changed")
    with pytest.raises(SystemExit, match="there was something to do"):
        seconds_of_nothing(folder)
