"""One trial in its clone, without Ray: stopped midway, cached, and killed with the process that started it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sweeps.project import EPOCHS, Project
from vae.errors import InputError
from vae.sweeps.checkout import Checkout, committed, git, inspect_checkout
from vae.sweeps.records import Folder, Record
from vae.sweeps.running import Run, failure, save_stopped
from vae.sweeps.settings import Trial

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC 3.67 on pygtrie 2.6


def trial(latent_dim: int) -> Trial:
    return Trial(f"lat-{latent_dim}", {"model.latent_dim": latent_dim}, ("model.latent_dim",))


@pytest.fixture
def checkout(project: Project, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(os, "environ", project.env | {"SECONDS": "0.2"})
    monkeypatch.chdir(project.path)
    return inspect_checkout(project.path, committed(project.path), ["evaluate"], ["model.latent_dim"])


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_stopped_trial_is_an_experiment_without_results_whose_training_continues(
    project: Project, checkout: Checkout
) -> None:
    folder = Folder(project.path, "lat")
    run = Run(checkout, folder, trial(2), ["evaluate"], threads=1)
    wait(lambda: len(run.epochs().losses) == 2)
    run.kill()
    assert run.process.returncode == -signal.SIGKILL
    save_stopped(checkout, folder, trial(2))
    (name,) = project.experiments()
    assert name == f"{checkout.commit[:2]}/{checkout.commit[2:]}/lat-2"
    commit = project.commit_of("lat-2")
    assert "latent_dim: 2\n" in project.git("show", f"{commit}:params.yaml")
    assert len(project.git("show", f"{commit}:reports/history.csv").splitlines()) == 3
    assert "reports/" not in project.git("ls-tree", "-r", "--name-only", commit).replace("reports/history.csv", "")
    # It goes on in the checkout.
    dvc = (sys.executable, "-m", "dvc")
    output = project.run(*dvc, "exp", "apply", "lat-2", status=255)  # the parameters are there, but there is no model
    assert "ERROR: Checkout failed for following targets:\nmodels/vae.keras\n" in output
    project.run(*dvc, "repro", "train")
    assert [epoch for *_, epoch, _ in project.lines()] == [*range(1, EPOCHS + 1)]


@pytest.mark.slow
def test_all_processes_of_a_trial_end_with_the_process_that_started_it(project: Project, checkout: Checkout) -> None:
    code = (
        "import json, sys, time; from pathlib import Path\n"
        "from vae.sweeps.checkout import Checkout; from vae.sweeps.records import Folder\n"
        "from vae.sweeps.running import Run; from vae.sweeps.settings import Trial\n"
        "root = Path(sys.argv[1]); checkout = Checkout(**json.loads(sys.argv[2]))._replace(root=root)\n"
        "trial = Trial('lat-2', {'model.latent_dim': 2}, ())\n"
        "run = Run(checkout, Folder(root, 'lat'), trial, ['train'], 1)\n"
        "while len(run.epochs().losses) < 1: time.sleep(0.05)\n"
        "print(run.process.pid, flush=True); time.sleep(60)"
    )
    plan = json.dumps(checkout._asdict() | {"root": None})
    command = [sys.executable, "-c", code, str(project.path), plan]
    with subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        group = int(parent.stdout.readline())
        os.killpg(group, 0)  # they are running
        parent.kill()

    def ended() -> bool:
        # Orphans that have ended stay as zombies if the system's first process does not wait for them.
        listed = subprocess.run(["ps", "-eo", "pgid=,stat="], check=True, capture_output=True, text=True).stdout
        return [str(group)] not in [line.split()[:1] for line in listed.splitlines() if line.split()[1][0] != "Z"]

    wait(ended)
    assert len(project.lines()) < EPOCHS


def test_a_checkout_with_uncommitted_changes_is_refused(project: Project) -> None:
    project.write("notes.txt", "not in git, so in no clone, and allowed")
    assert committed(project.path) == project.git("rev-parse", "HEAD")
    project.write("reports/metrics.json", "{}")
    with pytest.raises(
        InputError, match=r"^reports/metrics\.json differs from the last commit, from which all trials "
    ):
        committed(project.path)


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^this folder is not a git repository with a dvc\.yaml: run vae sweep in "):
        committed(tmp_path)


def test_a_stage_that_does_not_exist_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.path)
    with pytest.raises(InputError, match=r"contains evalute, but the stages of dvc.yaml are embed, evaluate, train\.$"):
        inspect_checkout(project.path, committed(project.path), ["evalute"], ["model.latent_dim"])


def test_git_reports_its_own_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`git status` failed in .*: fatal: not a git repository"):
        git(tmp_path, "status")


def test_the_sentence_of_a_failure_is_the_stage_s_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("epoch 1\nerror: the loss became NaN.\nERROR: failed to reproduce 'train': exited with 1\n\n")
    assert failure(log, 1) == "the loss became NaN."
    log.write_text("Traceback\nERROR: failed to reproduce 'train': exited with 1\nhint\n")
    assert failure(log, 1) == "failed to reproduce 'train': exited with 1"
    log.write_text("")
    assert failure(log, -9) == "it ended with status -9"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "lat")
    assert folder.read("lat-1") is None
    folder.write("lat-1", Record("failed", [3.5, 2.25], "why"))
    assert folder.read("lat-1") == Record("failed", [3.5, 2.25], "why")


def test_a_second_sweep_of_that_name_is_refused_while_one_runs(tmp_path: Path) -> None:
    first, second = Folder(tmp_path, "lat").exclusive(), Folder(tmp_path, "lat").exclusive()
    with first, pytest.raises(InputError, match="another vae sweep is running lat; "), second:
        pass
