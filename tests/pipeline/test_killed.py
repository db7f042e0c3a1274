"""A `dvc repro` that is killed again and again while it trains ends with the bytes of an uninterrupted one."""

import os
import random
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from repository import Repository

KILLS = 10
NEVER = 3600.0
"""Seconds in which every run ends."""
EPOCHS = 12
TRAIN = ("-m", "dvc", "repro", "--single-item", "--force", "train")

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(repository: Repository, tmp_path: Path) -> Repository:
    """A copy with prepared data, in which the training has many short epochs."""
    checkout = repository.copy(tmp_path / "checkout")
    checkout.change({"train": {"epochs": EPOCHS, "patience": EPOCHS}})
    return checkout


def test_a_run_killed_at_ten_random_moments_ends_with_the_bytes_of_an_uninterrupted_one(checkout: Repository) -> None:
    started = time.monotonic()
    history = checkout.path / "reports/history.csv"
    with checkout.start(checkout.python, *TRAIN) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("epoch 1/"):
                first_epoch = time.monotonic() - started
                # It can be looked at while the training runs: whole, and one of the first epochs is the last in it.
                assert 2 <= len(history.read_text(encoding="utf-8").splitlines()) < 1 + EPOCHS
    end = time.monotonic() - started
    assert process.returncode == 0
    uninterrupted, cached = hashes(checkout), cache(checkout)

    # Every other kill comes at any moment of the run, the others while it trains.
    moments, kills, outputs = random.Random(7), 0, []  # noqa: S311
    while kills < KILLS:
        training = kills % 2 == 1
        killed, output = run_until(checkout, moments.uniform(0, end - first_epoch if training else end), training)
        kills += killed
        outputs.append(output)
        if output and not killed:
            assert hashes(checkout) == uninterrupted
    killed, last = run_until(checkout, NEVER, training=False)
    if not last:  # the last kill came while DVC was writing dvc.lock, which is restored now
        killed, last = run_until(checkout, NEVER, training=False)
    assert last
    assert not killed
    outputs.append(last)
    assert hashes(checkout) == uninterrupted
    assert resumed(outputs) > 1
    # Nothing else is left behind.
    assert cache(checkout) == cached
    assert {path.name for path in (checkout.path / "models").iterdir()} == {
        "vae.keras",
        "classifier.keras",
        ".training.lock",
    }
    changed = {line.split()[-1] for line in checkout.run("git", "status", "--porcelain").splitlines()}
    assert changed == {"dvc.lock", "params.yaml", "reports/history.csv"}


def resumed(outputs: list[str]) -> int:
    """Return how many of the runs resumed where an earlier one was killed. None may lose a finished epoch."""
    count = finished = 0
    for output in outputs:
        epochs = [int(epoch) for epoch in re.findall(r"^epoch (\d+)/", output, re.M)]
        resuming = re.search(r"^Resuming after epoch (\d+)", output, re.M)
        if not epochs and not resuming:  # killed before it trained
            continue
        start = int(resuming[1]) if resuming else 0
        # An epoch's line is printed after its state is written, and the state is removed after the last epoch.
        assert start in {finished, finished + 1} or (start == 0 and finished == EPOCHS), outputs
        assert epochs == [*range(start + 1, start + 1 + len(epochs))], outputs
        count += start > 0
        finished = 0 if "kept epoch" in output else start + len(epochs)
    return count


def hashes(checkout: Repository) -> dict[str, str]:
    """Return the hashes of the stage's outputs in `dvc.lock`."""
    lock: Any = yaml.safe_load((checkout.path / "dvc.lock").read_text(encoding="utf-8"))
    return {out["path"]: out["md5"] for out in lock["stages"]["train"]["outs"]}


def cache(checkout: Repository) -> set[Path]:
    return {path for path in (checkout.path / ".dvc/cache/files").rglob("*") if path.is_file()}


def run_until(checkout: Repository, seconds: float, training: bool) -> tuple[bool, str]:
    """Kill a run after so many seconds, unless it ends before; return whether it was killed, and its output.

    DVC does not write `dvc.lock` and its own lock in one step. If the last kill left half of one, it is restored or
    removed, and nothing runs.
    If `training`, the seconds count from its first line about an epoch.
    """

    def kill() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    timer, output = threading.Timer(seconds, kill), ""
    with checkout.start(checkout.python, *TRAIN) as process:
        assert process.stdout
        if not training:
            timer.start()
        for line in process.stdout:
            output += line
            if training and line.startswith(("epoch ", "Resuming")):
                timer.start()
                training = False
    timer.cancel()
    if re.search(r"'\./dvc\.lock' (is invalid|validation failed)", output):  # a kill came while DVC was writing
        checkout.run("git", "checkout", "--quiet", "dvc.lock")  # as docs/troubleshooting.md says
        return False, ""
    if "Unable to read RWLock-file" in output and "training on" not in output:  # likewise
        (checkout.path / ".dvc/tmp/rwlock").unlink()
        return False, ""
    assert process.returncode in (0, -signal.SIGKILL), output
    return process.returncode != 0, output


def test_a_second_training_is_refused_while_one_that_outlives_its_dvc_is_running(checkout: Repository) -> None:
    with checkout.start(checkout.python, *TRAIN) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("epoch 1/"):
                break
        os.killpg(process.pid, signal.SIGSTOP)  # the training waits, so that it outlives what follows
        process.kill()  # only DVC
        process.wait()
        try:
            output = checkout.run(checkout.python, *TRAIN, status=255)
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        assert "kept epoch" in process.stdout.read()
    assert "error: another process is using models; wait for it to finish, or stop it." in output
    assert "Traceback" not in output
    assert "kept epoch" in checkout.run(checkout.python, *TRAIN)


def test_a_killed_experiment_in_a_temporary_folder_resumes_in_the_next_one(checkout: Repository) -> None:
    for key, value in {"user.name": "test", "user.email": "test@example.org"}.items():  # DVC stashes the changes
        checkout.run("git", "config", key, value)
    # as `make seeds` and `make effects` do: `dvc exp run --temp`
    code = "from benchmarks.experiments import run_experiment; run_experiment('long', {}, ['train'])"
    command = (checkout.python, "-c", code)
    with checkout.start(*command) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("epoch 3/"):
                os.killpg(process.pid, signal.SIGKILL)
    output = checkout.run(*command)
    resuming = re.search(r"^Resuming after epoch (\d+) from (.*)$", output, re.M)
    assert resuming
    assert int(resuming[1]) >= 3
    assert Path(resuming[2]).is_relative_to(checkout.path / "models/unfinished")
    assert re.findall(r"^epoch (\d+)/", output, re.M) == [str(n) for n in range(int(resuming[1]) + 1, EPOCHS + 1)]
    assert not (checkout.path / "models/unfinished").exists()
