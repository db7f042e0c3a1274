"""A sweep of six trials, of which one fails and ASHA stops one, killed midway and run again."""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.sweeps.project import DIVERGES, EPOCHS, LEARNING_RATE, NAME, SLOW, Project, kill
from vae.sweeps.running import HISTORY, losses

pytestmark = pytest.mark.slow

METRICS = "reports/metrics.json"
HEADS = re.compile("trial +latent_dim +epochs +validation loss +status")
GOOD, BETTER, BAD, BETTER_STILL, BEST = 13, *SLOW, 19, 23
DIMENSIONS = [GOOD, DIVERGES, BETTER, BAD, BETTER_STILL, BEST]
"""The validation loss falls with the latent dimension."""
FINISHED = (GOOD, BETTER, BETTER_STILL, BEST)


def processes(project: Project) -> list[int]:
    """Return the processes of trials, which are in their clones; Ray's own last for up to a minute after a kill."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.readlink().is_relative_to(project.path / ".dvc/tmp/sweeps"):
                found.append(int(path.parts[2]))
        except OSError:  # it has ended
            continue
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_sweep_killed_midway_and_run_again_gives_each_trial_its_experiment(project: Project) -> None:
    base = project.git("rev-parse", "HEAD")
    (project.path.parent / "photos").mkdir()
    fixed = {"seed": 9, "prepare.dataset": "../photos"}
    project.sweep(
        vary={"model.latent_dim": DIMENSIONS}, fixed=fixed, workers=2, reduction_factor=2, grace_period=EPOCHS - 1
    )
    names = {latent_dim: f"{NAME}-{number}" for number, latent_dim in enumerate(DIMENSIONS, start=1)}

    # Killed when the first trial has finished, the second has failed, and the third has one epoch left.
    held = f"{BETTER} {EPOCHS}, {BAD} {EPOCHS - 1}"
    with project.start("vae", "sweep", SECONDS="0.1", HOLD=held) as process:
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line)
            if line.startswith(f"{names[GOOD]}: finished"):
                break
        else:
            pytest.fail("".join(printed))
        wait_for(lambda: project.epochs(BETTER) == [*range(1, EPOCHS)])
        assert processes(project)
        kill(process)
    wait_for(lambda: not processes(project))
    assert project.epochs(BETTER) == [*range(1, EPOCHS)]
    assert len(project.epochs(BAD)) < EPOCHS - 1

    output = project.run("vae", "sweep", status=1, SECONDS="0.5")
    wait_for(lambda: not processes(project))

    # What was computed before the kill is not computed again, and what ASHA stops is not computed to its end.
    for latent_dim in FINISHED:
        assert project.epochs(latent_dim) == [*range(1, EPOCHS + 1)]
    assert project.epochs(DIVERGES) == [1]
    assert project.epochs(BAD)[: EPOCHS - 1] == [*range(1, EPOCHS)]
    assert {cores for *_, cores in project.lines()} == {max(1, len(os.sched_getaffinity(0)) // 2)}

    # Each trial is an experiment that starts from the commit, with its parameters, history and metrics, and no others'.
    saved = (GOOD, BETTER, BAD, BETTER_STILL, BEST)
    assert project.experiments() == [f"{base[:2]}/{base[2:]}/{names[latent_dim]}" for latent_dim in saved]
    expected = yaml.safe_load((project.path / "params.yaml").read_text(encoding="utf-8"))
    expected["seed"], expected["prepare"]["dataset"] = 9, "../photos"
    for latent_dim in saved:
        commit = project.commit_of(names[latent_dim])
        expected["model"]["latent_dim"] = latent_dim
        assert yaml.safe_load(project.git("show", f"{commit}:params.yaml")) == expected
        shown = losses(project.git("show", f"{commit}:{HISTORY}"))
        assert shown == [100 - latent_dim + 8 / epoch for epoch in range(1, EPOCHS + 1)][: len(shown)]
        reports = [name for name in project.git("ls-tree", "-r", "--name-only", commit).split() if "reports/" in name]
        if latent_dim == BAD:
            assert len(shown) >= EPOCHS - 1
            assert reports == [HISTORY]
        else:
            assert len(shown) == EPOCHS
            assert reports == [HISTORY, METRICS]
            assert json.loads(project.git("show", f"{commit}:{METRICS}")) == {"loss": latent_dim + LEARNING_RATE}

    # The table starts with the lowest validation loss, and ends with the failure.
    lines = output.splitlines()
    assert lines[0] == "6 trials, 1 of them from an earlier run"
    assert [re.split(r"  +", line) for line in lines[lines.index(next(filter(HEADS.match, lines))) + 1 :]][:6] == [
        [names[BEST], "23", "4", "79.00", "finished"],
        [names[BETTER_STILL], "19", "4", "83.00", "finished"],
        [names[BETTER], "17", "4", "85.00", "finished"],
        [names[GOOD], "13", "4", "89.00", "finished"],
        [names[BAD], "2", "3", "100.67", "stopped"],
        [names[DIVERGES], "7", "1", "101.00", "failed"],
    ]
    assert lines[-2] == f"the best is {names[BEST]}: dvc exp apply {names[BEST]}"
    assert lines[-1].startswith(f"error: 1 of 6 trials failed: {names[DIVERGES]}; ")
    assert f"{names[DIVERGES]}: failed after 1 epoch: the loss became NaN or infinite in epoch 2." in lines
    assert "Traceback" not in output

    # DVC knows the experiments as its own, and nothing of the sweep is left in the checkout.
    assert project.git("status", "--porcelain") == "?? sweep.yaml"
    assert list((project.path / ".dvc/tmp/sweeps/lat/clones").glob(f"{NAME}-*")) == []
    dvc = (sys.executable, "-m", "dvc")
    output = project.run(*dvc, "exp", "apply", names[BAD], status=255)  # its parameters are there, but no model
    assert "ERROR: Checkout failed for following targets:\nmodels/vae.keras\n" in output
    project.run(*dvc, "repro", "train")  # the stopped training goes on
    assert project.epochs(BAD) == [*range(1, EPOCHS + 1)]
    assert (project.path / "models/vae.keras").read_text() == f"[{BAD}, {LEARNING_RATE}]"
    project.git("checkout", "--quiet", ".")
    project.run(*dvc, "exp", "apply", names[GOOD])
    assert (project.path / "models/vae.keras").read_text() == f"[{GOOD}, {LEARNING_RATE}]"
