import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import encode_parts
from benchmarks.encode_parts import Case


def test_each_worker_has_its_own_cores_and_its_own_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5, 3, 8, 9})
    commands = [encode_parts.command(Case(2, 2), number, "x.npz") for number in (0, 1)]
    assert [command[:3] for command in commands] == [["taskset", "-c", "3,5"], ["taskset", "-c", "8,9"]]
    assert [command[command.index("--part") + 1] for command in commands] == ["1/2", "2/2"]
    assert encode_parts.command(Case(2, 0), 0, "x.npz")[0] == encode_parts.VAE_COMMAND


@pytest.mark.parametrize("wrong", [None, Case(1, 1), Case(2, 0)])
def test_speed_is_of_all_images_and_rows_for_one_number_of_threads_must_be_equal(
    wrong: Case | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(folder: Path, case: Case, source: str) -> float:
        """Write 6 rows in as many files as there are workers."""
        (folder / "latents").mkdir(exist_ok=True)
        rows = np.arange(6) + (case == wrong or (wrong == Case(1, 1) and case.threads == 1))
        for number, part in enumerate(np.array_split(rows, case.workers)):
            np.savez(folder / f"latents/{number}.npz", z_mean=part)
        return 9.0 if source == "one.npz" else float(case.workers)

    def write_images(folder: Path, count: int) -> None:
        assert count == 6

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    monkeypatch.setattr(encode_parts, "run", run)
    monkeypatch.setattr(encode_parts, "write_images", write_images)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    if wrong == Case(2, 0):  # the first case has two threads, too
        message = (
            "Case(workers=2, threads=0) did not give the same rows as another case with the same number of threads"
        )
        with pytest.raises(SystemExit, match=rf"^error: {re.escape(message)}\.$"):
            encode_parts.measure(6, rounds=1)
        return
    results: dict[str, Any] = encode_parts.measure(6, rounds=3)
    assert [case["images_per_second"] for case in results["cases"]] == [6, 6, 3, 3]
    assert results["start_seconds"] == 9
    assert results["equal"] == (wrong is None)
