import sys

import pytest

from benchmarks.stages import run


def test_seconds_and_peak_memory_of_a_command_and_what_it_starts() -> None:
    child = "import time; x = b'1' * 200_000_000; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    figures = run([sys.executable, "-c", parent])
    assert 0.5 < figures["seconds"] < 5
    assert 200 < figures["peak_mib"] * 2**20 / 1e6 < 260


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="ended with status 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])
