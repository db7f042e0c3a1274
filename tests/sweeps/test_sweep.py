"""A sweep of six trials, one of which fails, killed midway and run again: each trial is an experiment as asked."""

import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.sweeps.project import DIVERGES, EPOCHS, LEARNING_RATE, NAME, Project, kill
from vae.sweeps.running import HISTORY, losses

pytestmark = pytest.mark.slow

HEADS = re.compile("trial +latent_dim +epochs +validation loss +status")
DIMENSIONS = [2, 3, 5, DIVERGES, 11, 13]


def processes(project: Project) -> list[int]:
    """Return the processes that are in the project's folders."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.readlink().is_relative_to(project.path):
                found.append(int(path.parts[2]))
        except OSError:  # it has ended
            continue
    return found


def wait_until_ended(project: Project) -> None:
    deadline = time.monotonic() + 300
    while left := processes(project):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_a_sweep_killed_midway_and_run_again_gives_each_trial_its_experiment(project: Project) -> None:
    base = project.git("rev-parse", "HEAD")
    project.sweep(vary={"model.latent_dim": DIMENSIONS}, fixed={"seed": 9}, workers=2)

    with project.start("vae", "sweep", SECONDS="0.5") as process:
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line)
            if re.match(rf"{NAME}-\d: epoch 2/", line):
                break
        else:
            pytest.fail("".join(printed))
        kill(process)
    wait_until_ended(project)
    assert 2 <= len(project.lines()) < len(DIMENSIONS) * EPOCHS

    output = project.run("vae", "sweep", status=1)
    wait_until_ended(project)

    # What was computed before the kill is not computed again.
    succeeded = [latent_dim for latent_dim in DIMENSIONS if latent_dim != DIVERGES]
    computed = [(latent_dim, epoch) for latent_dim, _, epoch, _ in project.lines()]
    assert sorted(computed) == sorted(
        [(latent_dim, epoch) for latent_dim in succeeded for epoch in range(1, EPOCHS + 1)] + [(DIVERGES, 1)]
    )
    assert {cores for *_, cores in project.lines()} == {max(1, len(os.sched_getaffinity(0)) // 2)}

    # Each trial is an experiment that starts from the commit, with its parameters, history and metrics, and no others'.
    names = {latent_dim: f"{NAME}-{number}" for number, latent_dim in enumerate(DIMENSIONS, start=1)}
    assert project.experiments() == [f"{base[:2]}/{base[2:]}/{names[latent_dim]}" for latent_dim in succeeded]
    expected = yaml.safe_load((project.path / "params.yaml").read_text(encoding="utf-8"))
    for latent_dim in succeeded:
        commit = project.commit_of(names[latent_dim])
        params, history, metrics = (
            project.git("show", f"{commit}:{name}") for name in ("params.yaml", HISTORY, "reports/metrics.json")
        )
        expected["seed"], expected["model"]["latent_dim"] = 9, latent_dim
        assert yaml.safe_load(params) == expected
        assert losses(history) == [100 - latent_dim + 8 / epoch for epoch in range(1, EPOCHS + 1)]
        assert json.loads(metrics) == {"loss": latent_dim + LEARNING_RATE}
        assert "reports/latents.json" not in project.git("ls-tree", "-r", "--name-only", commit)

    # The table starts with the lowest validation loss, and ends with the failure.
    lines = output.splitlines()
    table = [re.split(r"  +", line) for line in lines[lines.index(next(filter(HEADS.match, lines))) + 1 :]]
    rows = [
        [names[latent_dim], str(latent_dim), "4", f"{102 - latent_dim:.2f}", "finished"] for latent_dim in succeeded
    ]
    assert table[:6] == [*reversed(rows), [names[DIVERGES], str(DIVERGES), "1", "101.00", "failed"]]
    assert lines[-2] == f"the best is {names[13]}: dvc exp apply {names[13]}"
    assert lines[-1].startswith(f"error: 1 of 6 trials failed: {names[DIVERGES]}; ")
    assert f"{names[DIVERGES]}: failed after 1 epoch: the loss became NaN or infinite in epoch 2." in lines
    assert "Traceback" not in output

    # DVC knows the experiments as its own, and nothing of the sweep is left in the checkout.
    assert project.git("status", "--porcelain") == "?? sweep.yaml"
    assert list((project.path / ".dvc/tmp/sweeps/lat/clones").iterdir()) == []
    project.run(sys.executable, "-m", "dvc", "exp", "apply", names[5])
    assert (project.path / "models/vae.keras").read_text() == f"[5, {LEARNING_RATE}]"
