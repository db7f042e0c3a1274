"""Images per second of trainings at once."""

import os
import subprocess
import sys

import pytest

from benchmarks import sweep
from vae.errors import InputError


def answering(seconds: float) -> "subprocess.Popen[str]":
    """Return a process that takes so many seconds for a hundred steps, as it says."""
    code = f"import sys\nfor line in sys.stdin: print(int(line) * {seconds / 100}, flush=True)"
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_all_images_are_counted_until_the_slowest_training_has_ended() -> None:
    assert sweep.STEPS == 100
    processes = [answering(2.0), answering(4.0)]
    try:
        assert sweep.seconds(processes, 50) == [1.0, 2.0]
        assert sweep.rate(processes, 80) == pytest.approx(2 * 100 * 80 / 4.0)
        assert sweep.rate(processes[:1], 80) == pytest.approx(100 * 80 / 2.0)
    finally:
        for process in processes:
            process.communicate()


def test_a_training_that_ends_before_it_has_answered_is_reported() -> None:
    command = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        pytest.raises(InputError, match=r"^a training ended with status 3\.$"),
    ):
        sweep.seconds([process], 50)


def test_a_single_core_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    with pytest.raises(InputError, match=r"^this benchmark needs two cores"):
        sweep.measure()
