"""The clone in which a trial runs, and what it needs to know about the checkout."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
import yaml

from tests.sweeps.project import EPOCHS, Project
from vae.errors import InputError
from vae.sweeps.checkout import Checkout, committed, git, inspect_checkout
from vae.sweeps.records import Folder
from vae.sweeps.running import failure, make_clone, save_stopped
from vae.sweeps.settings import Trial
from vae.sweeps.sweep import run_sweep

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
    environment = os.environ | {"SECONDS": "0.5"}  # long enough for what happens before the kill
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
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


def test_what_a_sweep_keeps_of_dvc_s_own_settings_is_no_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.path)
    settings = (
        "[cache]\n    type = hardlink\n['remote \"s3\"']\n    url = s3://bucket\n    secret_access_key = secret\n"
    )
    project.write(".dvc/config.local", settings)
    checkout = inspect_checkout(project.path, committed(project.path), ["evaluate"], ["model.latent_dim"])
    assert checkout.cache_config == {"type": "hardlink"}
    assert "secret" not in repr(checkout)
    clone = Folder(project.path, "lat").clone("lat-2")
    make_clone(checkout, clone, trial(2))
    config = (clone / ".dvc/config.local").read_text()
    assert config.splitlines() == ["[cache]", "    type = hardlink", f"    dir = {checkout.cache}"]


def test_a_stopped_trial_is_saved_even_if_its_first_saving_was_killed(project: Project, checkout: Checkout) -> None:
    folder = Folder(project.path, "lat")
    make_clone(checkout, folder.clone("lat-2"), trial(2))
    for key, value in {"commit.gpgsign": "true", "gpg.program": "/bin/false"}.items():
        git(folder.clone("lat-2"), "config", key, value)
    with (
        mock.patch("vae.sweeps.running.fetch", side_effect=InterruptedError),  # as a kill after the commit
        pytest.raises(InterruptedError),
    ):
        save_stopped(checkout, folder, trial(2))
    (folder.clone("lat-2") / ".git/index.lock").touch()  # as a git leaves it that is killed
    save_stopped(checkout, folder, trial(2))
    params = yaml.safe_load(project.git("show", f"{project.commit_of('lat-2')}:params.yaml"))
    assert params["model"]["latent_dim"] == 2
    assert not folder.clone("lat-2").exists()


def test_a_sweep_that_has_begun_keeps_to_the_parameters_of_its_commit(
    project: Project, checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    project.sweep(reduction_factor=2, grace_period=EPOCHS - 1)
    plan = {"trials": {"lat-1": {"model.latent_dim": 2}}, "stages": ["evaluate"]}
    Folder(project.path, "lat").write_plan({"plan": plan, "checkout": checkout._asdict() | {"root": None}})
    params = project.path / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace(f"epochs: {EPOCHS}", "epochs: 2"), encoding="utf-8")
    run_sweep(Path("sweep.yaml"), dry_run=True)  # two epochs would be too few for the first check
    assert capsys.readouterr().out == "lat-1: model.latent_dim=2\n"
    project.sweep(vary={"model.latent_dim": [3]})
    with pytest.raises(
        InputError, match=r"^sweep\.yaml: sweep\.name is lat, but a sweep of that name has other trials: "
    ):
        run_sweep(Path("sweep.yaml"), dry_run=True)


def test_a_sweep_does_not_import_tensorflow_next_to_its_trainings(
    run_python: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    code = "import sys, vae.sweeps.asha, vae.sweeps.sweep; print({'tensorflow', 'keras'} & set(sys.modules))"
    assert run_python(code, tmp_path).stdout == "set()\n"


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


def test_stages_without_a_training_are_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.path)
    params = yaml.safe_load((project.path / "dvc.yaml").read_text(encoding="utf-8"))
    params["stages"]["baseline"] = {"cmd": "true", "deps": ["mnist"]}
    project.write("dvc.yaml", yaml.safe_dump(params))
    with pytest.raises(InputError, match=r"^sweep\.stages is baseline, but .*: it must contain train or a stage that "):
        inspect_checkout(project.path, project.git("rev-parse", "HEAD"), ["baseline"], ["seed"])


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


def test_a_second_sweep_of_that_name_is_refused_while_one_runs(tmp_path: Path) -> None:
    first, second = Folder(tmp_path, "lat").exclusive(), Folder(tmp_path, "lat").exclusive()
    with first, pytest.raises(InputError, match="another vae sweep is running lat; "), second:
        pass
