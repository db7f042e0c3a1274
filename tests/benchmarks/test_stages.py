import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stages import emptied, make_repository, run, seconds_of_nothing


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


def test_a_stage_of_empty_files_makes_all_its_outputs_from_the_same_dependencies(tmp_path: Path) -> None:
    stage = {
        **{"cmd": "python train.py", "deps": ["train.py"], "params": ["seed"]},
        **{"outs": ["models/vae"], "plots": [{"reports/history.csv": {"cache": False}}]},
    }
    same = emptied(stage)
    assert same | {"cmd": stage["cmd"]} == stage
    subprocess.run(same["cmd"], shell=True, cwd=tmp_path, check=True)  # noqa: S602
    files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"models/vae": b"", "reports/history.csv": b""}


@pytest.mark.slow
def test_where_there_is_something_to_do_nothing_is_not_timed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    folder = tmp_path / "repository"
    make_repository(folder, {"one": emptied({"deps": ["before"], "params": ["seed"], "outs": ["after"]})})
    assert seconds_of_nothing(folder) > 0
    (folder / "before").write_text("changed")
    with pytest.raises(SystemExit, match="there was something to do"):
        seconds_of_nothing(folder)
