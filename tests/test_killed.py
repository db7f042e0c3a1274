"""A real `dvc repro`, killed again and again while it trains, ends with the bytes of one that was left alone."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from repository import Repository

KILLS = 10
EPOCHS = 12
TRAIN = ("-m", "dvc", "repro", "--single-item", "--force", "train")

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(repository: Repository, tmp_path: Path) -> Repository:
    """One of this test's own, with prepared data, in which the epochs of the training are short and many."""
    checkout = repository.copy(tmp_path / "checkout")
    checkout.change({"train": {"epochs": EPOCHS, "patience": EPOCHS}})
    return checkout


def test_killed_at_ten_random_moments_it_ends_with_the_bytes_of_an_unbroken_run(checkout: Repository) -> None:
    started = time.monotonic()
    output = checkout.run(checkout.python, *TRAIN)
    seconds = time.monotonic() - started
    assert "Going on" not in output
    unbroken = hashes(checkout)
    assert not (checkout.path / "models/unfinished").exists()

    moments, kills, went_on = random.Random(7), 0, []  # noqa: S311
    while kills < KILLS:
        killed, output = run_until(checkout, moments.uniform(0, seconds))
        kills += killed
        went_on += [int(epoch) for epoch in re.findall(r"Going on after epoch (\d+)", output)]
        if not killed:
            assert hashes(checkout) == unbroken
    output = checkout.run(checkout.python, *TRAIN)
    assert hashes(checkout) == unbroken
    assert max(went_on) > 1
    assert not (checkout.path / "models/unfinished").exists()
    # nothing else is left behind, in the work tree or in DVC's cache
    assert checkout.run("git", "status", "--porcelain", "--ignored", "models").split() == ["!!", "models/"]
    assert {path.name for path in (checkout.path / "models").iterdir()} == {"vae", "classifier"}
    assert not [path for path in (checkout.path / ".dvc/cache").rglob("*") if "unfinished" in path.name]


def hashes(checkout: Repository) -> dict[str, str]:
    """Of the outputs of the stage, from `dvc.lock`."""
    lock: Any = yaml.safe_load((checkout.path / "dvc.lock").read_text(encoding="utf-8"))
    return {out["path"]: out["md5"] for out in lock["stages"]["train"]["outs"]}


def run_until(checkout: Repository, seconds: float) -> tuple[bool, str]:
    """Whether the training was killed after so many seconds, since it had not ended by then; what it printed."""
    with checkout.start(checkout.python, *TRAIN) as process:
        try:
            output = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0]
    assert process.returncode in (0, -signal.SIGKILL), output
    return process.returncode != 0, output


def test_while_a_training_outlives_its_dvc_another_is_refused(checkout: Repository) -> None:
    with checkout.start(checkout.python, *TRAIN) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("epoch 1/"):
                break
        os.killpg(process.pid, signal.SIGSTOP)  # the training waits, so that it outlives what follows
        process.kill()  # DVC alone
        process.wait()
        try:
            output = checkout.run(checkout.python, *TRAIN, status=255)
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        assert "kept epoch" in process.stdout.read()
    assert "error: another training has models/unfinished; wait for its end, or end it." in output
    assert "Traceback" not in output
    assert "kept epoch" in checkout.run(checkout.python, *TRAIN)
