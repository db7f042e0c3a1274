"""What is recorded and shown of each epoch of a training, and the end of one that diverges."""

import math
import time
from typing import Any

import keras
import numpy as np

from vae.errors import InputError


class DivergenceError(InputError):
    """The loss of a training, or a weight of its model, is no longer a finite number."""

    best_epoch: int | None = None
    """Whose weights the model has now; None if no epoch ended in finite numbers."""


class EpochRecord(keras.callbacks.Callback):
    """Keeps each epoch's figures with its learning rate and seconds, and ends a training that diverges.

    Args:
        setting: the key of the learning rate in `params.yaml`, `train.learning_rate` say.
        learning_rate: its value.
        finite_steps: counts the epoch's steps before one whose loss is no finite number; needed where several steps
            are one execution, after which alone this is called.

    Raises:
        DivergenceError: the loss is no longer a finite number, or at the end of an epoch a weight is none.
    """

    def __init__(self, setting: str, learning_rate: float, finite_steps: keras.Variable | None = None) -> None:
        super().__init__()
        self.setting, self.learning_rate, self.finite_steps = setting, learning_rate, finite_steps
        self.rows: list[dict[str, float]] = []
        """One an epoch, the first one first."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch, self.started = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        # the mean over the epoch's steps until now, which one step without a number spoils for good
        if not math.isfinite(logs["loss"]):
            step = batch if self.finite_steps is None else int(self.finite_steps)
            self._end("the loss", f"step {step + 1} of {self.params['steps']}", steps_ago=batch + 1 - step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        if not math.isfinite(logs["val_loss"]):
            self._end("the validation loss", "after its last step")
        # pooling and ReLU can hide a weight that is no number from the loss
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            self._end("a weight", "by its last step")
        logs["learning_rate"] = self._learning_rate()
        logs["seconds"] = time.perf_counter() - self.started
        self.rows.append({name: float(value) for name, value in logs.items()})

    def _learning_rate(self) -> float:
        return float(self.model.optimizer.learning_rate)

    def _end(self, what: str, when: str, steps_ago: int = 1) -> None:
        self.model.optimizer.iterations.assign_sub(steps_ago)  # back to the learning rate of that step
        raise DivergenceError(
            f"{what} became NaN or infinite in epoch {self.epoch + 1}, {when}, at a learning rate of "
            f"{self._learning_rate():.3g}; {self.setting} is {self.learning_rate:g}: try a lower one."
        )


class EpochLine(keras.callbacks.Callback):
    """Prints each epoch's figures in a line, where Keras shows no bar.

    Args:
        record: of the epochs, called before this callback.
        figures: their format, `loss {loss:.2f}` say.
    """

    def __init__(self, record: EpochRecord, figures: str) -> None:
        super().__init__()
        self.record, self.figures = record, figures

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = self.record.rows[-1]
        figures = f"{self.figures.format_map(row)}, {row['seconds']:.0f} s"
        print(f"epoch {epoch + 1}/{self.params['epochs']}: {figures}", flush=True)
