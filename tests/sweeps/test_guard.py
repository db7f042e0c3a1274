"""A guarded command ends with the process that started it, and passes on its exit status."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

LEAF = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
COMMAND = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {LEAF!r}]).returncode)"
"""A command with a process of its own, as DVC has: a stage."""


def start(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "vae.sweeps.guard", "", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.fixture
def guarded() -> Iterator[subprocess.Popen[bytes]]:
    with start(sys.executable, "-c", COMMAND) as process:
        try:
            assert process.stdout
            assert int(process.stdout.readline())  # the stage is at work
            yield process
        finally:
            with suppress(ProcessLookupError):  # all have ended
                os.killpg(process.pid, signal.SIGKILL)


def close_pipe_and_wait(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe, as the end of the parent does, and wait until all that have inherited the output have ended."""
    output, _ = process.communicate(timeout=60)
    assert output == b""


def test_all_processes_end_with_the_parent(guarded: subprocess.Popen[bytes]) -> None:
    close_pipe_and_wait(guarded)
    assert guarded.returncode != 0


def test_all_processes_end_with_the_parent_even_if_it_kills_the_guard_first(guarded: subprocess.Popen[bytes]) -> None:
    # A Ray worker does that when it exits: it kills its own children, but not their children.
    guarded.kill()
    close_pipe_and_wait(guarded)


def test_all_processes_end_if_the_one_that_watches_the_parent_is_killed(guarded: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{guarded.pid}/task/{guarded.pid}/children")
    (watcher,) = map(int, children.read_text().split())
    os.kill(watcher, signal.SIGKILL)
    close_pipe_and_wait(guarded)  # nobody reads the pipe any more
    assert guarded.returncode == -signal.SIGKILL


@pytest.mark.parametrize("status", [0, 3])
def test_the_guard_exits_with_the_status_of_its_command(status: int) -> None:
    with start(sys.executable, "-c", f"raise SystemExit({status})") as process:
        assert process.wait() == status
