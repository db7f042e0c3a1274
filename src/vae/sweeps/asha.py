"""Ray Tune: trials at once on one or more machines, and ASHA, which stops those that fall behind.

ASHA is the asynchronous successive halving of Li et al., "A System for Massively Parallel Hyperparameter Tuning"
(MLSys 2020). What survives a kill is in the records and in git, not in Ray's files: the next run starts Ray again.
"""

import os
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

# Before Ray is imported: nothing is sent or written that is not needed, and Ctrl-C arrives here.
os.environ |= {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_enable_metrics_collection": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
}

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from vae.errors import InputError
from vae.sweeps.checkout import Checkout
from vae.sweeps.records import Folder, Record
from vae.sweeps.running import Run, save_stopped
from vae.sweeps.settings import Sweep, Trial

POLL = 0.2
"""Seconds between two looks at a training."""
DEATHS = 3
"""How often the process of a trial may die before it counts as failed."""
STARTS = 3
"""How often to try to start Ray."""
WORST = 1e30
"""The validation loss of a trial without an epoch, for Ray, which wants a number."""


class Work(NamedTuple):
    """What a worker needs for any trial."""

    checkout: Checkout
    folder: Folder
    trials: dict[str, Trial]
    stages: list[str]
    threads: int


class Worker(tune.Trainable):
    """A process that runs trials, one after the other. A step of it is an epoch."""

    def setup(self, config: dict[str, Any], work: Work) -> None:
        self.work, self.run = work, cast(Run | None, None)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Turn to another trial."""
        self.cleanup()
        self.trial, self.run, self.reported = self.work.trials[new_config["trial"]], None, 0
        return True

    def step(self) -> dict[str, Any]:
        """Return the next epoch, or how the trial has ended."""
        checkout, folder, _, stages, threads = self.work
        try:
            self.run = self.run or Run(checkout, folder, self.trial, stages, threads)
            while True:
                found = self.run.epochs()
                if found.ended:  # even if not all epochs are reported: what has finished is not stopped any more
                    record = self.run.collect()
                    break
                if len(found.losses) > self.reported:
                    self.reported += 1
                    return {"epoch": self.reported, "val_loss": found.losses[self.reported - 1], "done": False}
                time.sleep(POLL)
        except (InputError, OSError) as error:
            record = Record("failed", self._losses(), str(error))
        except Exception as error:  # a mistake of ours fails this trial only, and is not lost
            folder.log(self.trial.name).parent.mkdir(parents=True, exist_ok=True)
            with folder.log(self.trial.name).open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
            record = Record("failed", self._losses(), f"unexpected {type(error).__name__}: {error}")
        last = record.losses[-1] if record.losses else WORST
        epoch = max(self.reported, len(record.losses))
        return {"epoch": epoch, "val_loss": last, "done": True, "record": record._asdict()}

    def _losses(self) -> list[float]:
        return self.run.epochs().losses if self.run else []

    def cleanup(self) -> None:
        """End the trial, unless it has ended. If ASHA ends it, it becomes an experiment as it is."""
        if self.run:
            self.run.kill()
            self.run = None
            record = self.work.folder.read(self.trial.name)
            if record and record.status == "stopped":
                save_stopped(self.work.checkout, self.work.folder, self.trial)


def add(losses: dict[str, list[float]], name: str, result: dict[str, Any]) -> None:
    """Add the validation loss of an epoch; a trial that is resumed starts again from its first."""
    epochs = losses.setdefault(name, [])
    epochs[result["epoch"] - 1 :] = [result["val_loss"]]


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
        if "record" not in result:
            add(self.losses, name, result)
        decision: str = super().on_trial_result(tune_controller, trial, result)
        if decision == TrialScheduler.STOP:
            self.folder.write(name, Record("stopped", self.losses[name]))
        return decision


class Progress(tune.Callback):
    """What is printed: a line when a trial starts, after each epoch, and when it has ended.

    Args:
        work: the trials.
        epochs: the epochs of each at most.
        describe: returns how a trial has ended.
    """

    def __init__(self, work: Work, epochs: dict[str, int], describe: Callable[[Record], str]) -> None:
        self.work, self.epochs, self.describe = work, epochs, describe
        self.losses: dict[str, list[float]] = {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        one = self.work.trials[trial.config["trial"]]
        self._print(trial, ", ".join(f"{key}={one.settings[key]}" for key in one.varied))

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        name = trial.config["trial"]
        if "record" in result:
            self.work.folder.write(name, Record(**result["record"]))
            return
        add(self.losses, name, result)
        self._print(trial, f"epoch {result['epoch']}/{self.epochs[name]}, validation loss {result['val_loss']:.2f}")

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        if record := self.work.folder.read(trial.config["trial"]):
            self._print(trial, self.describe(record))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._print(trial, "its worker has died; the trial is resumed")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        name = trial.config["trial"]
        losses = self.losses.get(name, [])
        self.work.folder.write(name, Record("failed", losses, f"its worker has died {DEATHS + 1} times"))
        self.on_trial_complete(iteration, trials, trial)

    def _print(self, trial: Any, line: str) -> None:
        print(f"{trial.config['trial']}: {line}", flush=True)


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
