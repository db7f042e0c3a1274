"""A process of Ray that runs trials."""

import time
import traceback
from typing import Any, NamedTuple, cast

from ray import tune

from vae.errors import InputError
from vae.sweeps.checkout import Checkout
from vae.sweeps.records import Folder, Record
from vae.sweeps.running import Run, save_stopped
from vae.sweeps.settings import Trial

POLL = 0.2
"""Seconds between two looks at a training."""
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
