"""ASHA as a sweep uses it, and the table at the end."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from vae.sweeps.records import Folder, Record
from vae.sweeps.settings import Trial
from vae.sweeps.table import describe, table

CODE = """
import json
from pathlib import Path
from types import SimpleNamespace
from unittest import mock
from vae.errors import InputError
from vae.sweeps import asha as module, worker as of_worker
from vae.sweeps.asha import RecordingASHA
from vae.sweeps.records import Folder
from vae.sweeps.settings import Trial

asha = RecordingASHA(Folder(Path(), "lat"), grace_period=1, reduction_factor=2, longest=4)
asha.replay("lat-1", [9.0, 8.0, 7.0, 6.0])

def decisions(name, losses):
    trial = SimpleNamespace(trial_id=name, config={"trial": name})
    asha.on_trial_add(None, trial)
    for epoch, loss in enumerate(losses, start=1):
        yield asha.on_trial_result(None, trial, {"epoch": epoch, "val_loss": loss})

found = {"decisions": [
    [*decisions("lat-2", [9.5])],  # worse than the one of the earlier run
    [*decisions("lat-3", [8.5, 7.5, 7.2, 9.9])],  # better at each check; none after the last epoch
    [*decisions("lat-4", [8.4, 9.0])],  # worse at the second check
]}

nodes = [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {"CPU": 8.0, "GPU": 1.0}}]
with mock.patch("ray.nodes", return_value=nodes):
    module._check_resources(SimpleNamespace(gpus=0.0), 2)
    for gpus, threads in ((0.0, 4), (0.5, 2)):
        try:
            module._check_resources(SimpleNamespace(gpus=gpus), threads)
        except InputError as error:
            found[f"{threads} cores"] = str(error)

worker = of_worker.Worker.__new__(of_worker.Worker)
trial = Trial("lat-1", {}, ())
worker.setup({"trial": "lat-1"}, module.Work(None, Folder(Path(), "lat"), {"lat-1": trial}, ["train"], 1))
with mock.patch.object(of_worker, "Run", side_effect=ZeroDivisionError("by zero")):
    found["unexpected"] = worker.step()

sweep, asked = SimpleNamespace(workers=2), {}
for address, mode in (("a:1", ""), ("a:1", "token"), (None, "")):
    refused = ConnectionError("It timed out.\\nTwice." if address else "no space")
    with mock.patch("ray.init", side_effect=refused) as init, mock.patch.dict("os.environ", RAY_AUTH_MODE=mode):
        try:
            module._connect(address, sweep, 3)
        except InputError as error:
            asked[str(error)] = init.call_args_list[-1].kwargs
with mock.patch("ray.init", side_effect=[ConnectionError("it timed out"), None]) as init:
    module._connect(None, sweep, 3)
found["connect"], found["attempts"] = asked, init.call_count
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asha")


@pytest.fixture
def folder(checkout: Path) -> Folder:
    return Folder(checkout, "lat")


@pytest.fixture(scope="module")
def found(run_python: Callable[..., CompletedProcess[str]], checkout: Path) -> dict[str, Any]:
    """Return what the code prints. It runs in a process of its own, as Ray changes the environment."""
    done = run_python(CODE, checkout)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


@pytest.mark.slow
def test_asha_takes_an_earlier_run_into_account_and_records_what_it_stops(
    found: dict[str, Any], folder: Folder
) -> None:
    assert found["decisions"] == [["STOP"], ["CONTINUE"] * 4, ["CONTINUE", "STOP"]]
    assert folder.read("lat-2") == Record("stopped", [9.5])
    assert folder.read("lat-3") is None
    assert folder.read("lat-4") == Record("stopped", [8.4, 9.0])


@pytest.mark.slow
def test_a_trial_that_no_machine_has_room_for_is_refused(found: dict[str, Any]) -> None:
    for cores, gpus in ((4, 0), (2, 0.5)):
        assert found[f"{cores} cores"] == (
            f"no machine has the {cores} cores and {gpus} GPUs that each trial asks for: change sweep.threads or "
            "sweep.gpus."
        )


@pytest.mark.slow
def test_ray_is_started_for_the_sweep_or_found_at_its_address(found: dict[str, Any]) -> None:
    there = "no Ray cluster answers at a:1"
    assert list(found["connect"]) == [
        f"{there}, or it needs RAY_AUTH_MODE=token: It timed out. Twice.",
        f"{there}: It timed out. Twice.",
        "Ray does not start: no space",
    ]
    first, _, local = found["connect"].values()
    assert (first["address"], local["address"], local["num_cpus"]) == ("a:1", "local", 6)
    assert found["attempts"] == 2  # a busy machine may be slow


@pytest.mark.slow
def test_an_unexpected_error_fails_its_trial_only_and_is_logged(found: dict[str, Any], folder: Folder) -> None:
    reason = "unexpected ZeroDivisionError: by zero"
    assert found["unexpected"]["done"]
    assert found["unexpected"]["record"] == Record("failed", [], reason)._asdict()
    assert folder.log("lat-1").read_text(encoding="utf-8").splitlines()[-1] == "ZeroDivisionError: by zero"


def test_without_ray_a_sentence_says_what_to_install(
    run_python: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from vae.sweeps.sweep import _require_ray\n"
        "from vae.errors import InputError\n"
        "try: _require_ray()\n"
        "except InputError as error: print(error)"
    )
    sentence = run_python(code, tmp_path).stdout
    assert sentence.startswith("ray, which a sweep needs, is not installed: run make sweep-packages in this project's ")


def test_the_table_is_sorted_by_the_lowest_validation_loss_of_an_epoch() -> None:
    trials = [
        Trial(
            f"lat-{number}",
            {"model.latent_dim": number, "train.beta": 0.5, "seed": 1},
            ("model.latent_dim", "train.beta"),
        )
        for number in range(1, 5)
    ]
    records = {
        "lat-1": Record("finished", [90.0, 100.25], kept=100.25),  # the first epoch was in a warm-up of the KL
        "lat-2": Record("failed", [90.0], "it diverged"),
        "lat-3": Record("finished", [99.5, 101.0]),
        "lat-4": Record("stopped", [120.0]),
    }
    assert table(trials, records).splitlines() == [
        "trial  latent_dim  beta  epochs  validation loss  status",
        "lat-3  3           0.5   2       99.50            finished",
        "lat-1  1           0.5   2       100.25           finished",
        "lat-4  4           0.5   1       120.00           stopped",
        "lat-2  2           0.5   1       90.00            failed",
    ]
    assert describe(records["lat-2"]) == "failed after 1 epoch: it diverged"
    assert describe(records["lat-4"]) == "stopped after 1 epoch, lowest validation loss 120.00"
    assert describe(Record("finished", [1.0, 2.0], kept=2.0)) == "finished after 2 epochs, validation loss 2.00"
    assert describe(Record("failed", [], "no")) == "failed after 0 epochs: no"
