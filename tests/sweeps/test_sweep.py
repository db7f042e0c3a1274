"""A sweep of six trials, one of which fails, killed midway and run again: each trial is an experiment as asked."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.sweeps.project import DIVERGES, EPOCHS, NAME, Project, kill

pytestmark = pytest.mark.slow

DIMENSIONS = [2, 3, 5, DIVERGES, 11, 13]


def processes(project: Project) -> list[int]:
    """Return the processes that are in the project's folders."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if Path(os.readlink(path)).is_relative_to(project.path):
                found.append(int(path.parts[2]))
        except OSError:  # it has ended
            continue
    return found


def wait_until_ended(project: Project) -> None:
    deadline = time.monotonic() + 60
    while left := processes(project):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_a_sweep_killed_midway_and_run_again_gives_each_trial_its_experiment(project: Project) -> None:
    project.sweep(vary={"model.latent_dim": DIMENSIONS}, fixed={"seed": 9}, workers=2)

    with project.start("vae", "sweep", seconds=0.5) as process:
        assert process.stdout
        for line in process.stdout:
            if re.match(rf"{NAME}-\d: epoch 2/", line):
                break
        kill(process)
    wait_until_ended(project)
    before = project.lines()
    assert 2 <= len(before) < len(DIMENSIONS) * EPOCHS

    with project.start("vae", "sweep", seconds=0.1) as process:
        assert process.stdout
        output = process.stdout.read()
    print(output)
    assert process.returncode == 1, output
    wait_until_ended(project)
    succeeded = [latent_dim for latent_dim in DIMENSIONS if latent_dim != DIVERGES]
    computed = [(latent_dim, epoch) for latent_dim, _, epoch, _ in project.lines()]
    expected = {(latent_dim, epoch) for latent_dim in succeeded for epoch in range(1, EPOCHS + 1)} | {(DIVERGES, 1)}
    assert sorted(computed) == sorted(expected)  # no epoch twice
