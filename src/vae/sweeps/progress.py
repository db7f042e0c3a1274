"""What a sweep prints while it runs, and records of trials that end."""

from collections.abc import Callable
from typing import Any

from ray import tune

from vae.sweeps.records import Record
from vae.sweeps.worker import Work

DEATHS = 3
"""How often the process of a trial may die before it counts as failed."""


def add(losses: dict[str, list[float]], name: str, result: dict[str, Any]) -> None:
    """Add the validation loss of an epoch; a trial that is resumed starts again from its first."""
    epochs = losses.setdefault(name, [])
    epochs[result["epoch"] - 1 :] = [result["val_loss"]]


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
        self._print(trial, self.work.trials[trial.config["trial"]].description())

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
