"""Ray Tune: trials at once on one or more machines, and ASHA, which stops those that fall behind.

ASHA is the asynchronous successive halving of Li et al., "A System for Massively Parallel Hyperparameter Tuning"
(MLSys 2020). What survives a kill is in the records and in git, not in Ray's files: the next run starts Ray again.
"""

import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from vae.errors import InputError
from vae.sweeps.progress import DEATHS, Progress, add
from vae.sweeps.records import Folder, Record
from vae.sweeps.settings import Sweep
from vae.sweeps.worker import Work, Worker

STARTS = 3
"""How often to try to start Ray."""


class RecordingASHA(ASHAScheduler):
    """ASHA that records which trials it stops, and takes the trials of an earlier run into account.

    Args:
        folder: the folder of the sweep.
        grace_period, reduction_factor, longest: epochs before the first check; their factor; the longest training's.
    """

    def __init__(self, folder: Folder, grace_period: int, reduction_factor: float, longest: int) -> None:
        # No check after the last epoch: a trial that has reached it is evaluated.
        super().__init__(
            time_attr="epoch",
            metric="val_loss",
            mode="min",
            grace_period=grace_period,
            reduction_factor=reduction_factor,
            max_t=longest - 1,
            stop_last_trials=False,
        )
        self.folder, self.losses = folder, dict[str, list[float]]()

    def replay(self, name: str, losses: list[float]) -> None:
        """Take a trial of an earlier run into account."""
        trial = SimpleNamespace(trial_id=name, config={"trial": name})
        self.on_trial_add(None, trial)
        for epoch, loss in enumerate(losses, start=1):
            super().on_trial_result(None, trial, {"epoch": epoch, "val_loss": loss})

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        name = trial.config["trial"]
        add(self.losses, name, result)
        decision: str = super().on_trial_result(tune_controller, trial, result)
        if decision == TrialScheduler.STOP:
            self.folder.write(name, Record("stopped", self.losses[name]))
        return decision


def run_trials(
    work: Work,
    pending: list[str],
    sweep: Sweep,
    epochs: dict[str, int],
    address: str | None,
    describe: Callable[[Record], str],
) -> None:
    """Run the trials that are left, several at a time. Each ends with a record.

    Args:
        work: all trials.
        pending: the names of those to run.
        sweep: the settings of the sweep.
        epochs: the epochs of each trial at most.
        address: the address of a Ray cluster; None starts Ray on this machine, for this sweep only.
        describe: returns how a trial has ended.

    Raises:
        InputError: there is no cluster at the address, it has no machine for a trial, or Ray does not start.
    """
    scheduler = None
    if sweep.reduction_factor:
        scheduler = RecordingASHA(work.folder, sweep.grace_period, sweep.reduction_factor, max(epochs.values()))
        for name in work.trials.keys() - set(pending):
            record = work.folder.read(name)
            scheduler.replay(name, record.losses if record else [])
    _connect(address, sweep, work.threads)
    try:
        _check_resources(sweep, work.threads)
        tune.Tuner(
            tune.with_resources(tune.with_parameters(Worker, work=work), {"cpu": work.threads, "gpu": sweep.gpus}),
            param_space={"trial": tune.grid_search(pending)},
            tune_config=tune.TuneConfig(scheduler=scheduler, reuse_actors=True, max_concurrent_trials=sweep.workers),
            run_config=tune.RunConfig(
                name=time.strftime("%Y%m%d-%H%M%S"),
                storage_path=str(work.folder.ray),
                verbose=0,
                callbacks=[Progress(work, epochs, describe)],
                failure_config=tune.FailureConfig(max_failures=DEATHS),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
    finally:
        ray.shutdown()


def _check_resources(sweep: Sweep, threads: int) -> None:
    """Refuse trials that no machine has room for: Ray would wait for such a machine without a word."""
    offers = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(offer.get("CPU", 0) >= threads and offer.get("GPU", 0) >= sweep.gpus for offer in offers):
        raise InputError(
            f"no machine has the {threads} cores and {sweep.gpus:g} GPUs that each trial asks for: change "
            "sweep.threads or sweep.gpus."
        )


def _connect(address: str | None, sweep: Sweep, threads: int) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical"}
    if address:
        options["address"] = address
    else:
        options |= {"address": "local", "num_cpus": sweep.workers * threads, "include_dashboard": False}
        options["_node_ip_address"] = "127.0.0.1"
    for attempt in range(1, STARTS + 1):
        try:
            ray.init(**options)
            return
        except Exception as error:  # Ray raises this very class, too
            # Its processes must be there within 30 seconds, which they are not on a busy machine.
            if not address and "timed out" in str(error) and attempt < STARTS:
                continue
            reason = " ".join(str(error).split())
            if address:
                token = "" if os.environ.get("RAY_AUTH_MODE") == "token" else ", or it needs RAY_AUTH_MODE=token"
                raise InputError(f"no Ray cluster answers at {address}{token}: {reason}") from None
            raise InputError(f"Ray does not start: {reason}") from None
