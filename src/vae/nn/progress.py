"""What is recorded and shown of each epoch of a training, and the end of one whose loss is no number."""

import math
import time
from typing import Any

import keras

from vae.errors import InputError


class DivergenceError(InputError):
    """The loss of a training is no longer a finite number."""

    best_epoch: int | None = None
    """Whose weights the model has now; None if there was none with a finite loss."""


class EpochRecord(keras.callbacks.Callback):
    """Keeps each epoch's figures with its learning rate and seconds; prints them in a line where there is no bar.

    Args:
        setting: the key of the learning rate in `params.yaml`, `train.learning_rate` say.
        learning_rate: its value.
        line: a format of the epoch's figures, `loss {loss:.2f}` say; None where Keras shows its bar.
        finite_steps: counts the epoch's steps before one whose loss is no finite number; needed where several steps
            are one execution, after which alone this is called.

    Raises:
        DivergenceError: the loss is no longer a finite number.
    """

    def __init__(
        self, setting: str, learning_rate: float, line: str | None, finite_steps: keras.Variable | None = None
    ) -> None:
        super().__init__()
        self.setting, self.learning_rate, self.line = setting, learning_rate, line
        self.finite_steps = finite_steps
        self.rows: list[dict[str, float]] = []
        """One an epoch, the first one first."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch, self.started = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        # the mean over the epoch's steps until now, which one step without a number spoils for good
        if not math.isfinite(logs["loss"]):
            step = batch if self.finite_steps is None else int(self.finite_steps)
            self.model.optimizer.iterations.assign_sub(batch + 1 - step)  # back to the learning rate of that step
            which = f"step {step + 1} of {self.params['steps']}"
            self._end(f"the loss became {logs['loss']} in epoch {self.epoch + 1}, {which}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        if not math.isfinite(logs["val_loss"]):
            self._end(f"the validation loss became {logs['val_loss']} in epoch {epoch + 1}, after its last step")
        logs["learning_rate"] = self._learning_rate()
        logs["seconds"] = time.perf_counter() - self.started
        self.rows.append({name: float(value) for name, value in logs.items()})
        if self.line:
            figures = self.line.format_map(logs)
            print(f"epoch {epoch + 1}/{self.params['epochs']}: {figures}, {logs['seconds']:.0f} s", flush=True)

    def _learning_rate(self) -> float:
        return float(self.model.optimizer.learning_rate)

    def _end(self, event: str) -> None:
        raise DivergenceError(
            f"{event}, at a learning rate of {self._learning_rate():.3g}; "
            f"{self.setting} is {self.learning_rate:g}: try a lower one."
        )
