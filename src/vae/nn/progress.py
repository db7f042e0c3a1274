"""What is recorded and shown of each epoch of a training."""

import math
import time
from typing import Any

import keras

from vae.errors import InputError


class EpochRecord(keras.callbacks.Callback):
    """Adds the learning rate and the seconds to each epoch's figures; prints them in one line where there is no bar.

    Args:
        setting: the key of the learning rate in `params.yaml`, `train.learning_rate` say.
        learning_rate: its value.
        line: a format of the epoch's figures, `loss {loss:.2f}` say; None where Keras shows its bar.

    Raises:
        InputError: the loss is no longer a finite number.
    """

    def __init__(self, setting: str, learning_rate: float, line: str | None) -> None:
        super().__init__()
        self.setting, self.learning_rate, self.line = setting, learning_rate, line

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        logs["seconds"] = time.perf_counter() - self.started
        for name in ("loss", "val_loss"):
            if not math.isfinite(logs[name]):
                raise InputError(
                    f"{name} became {logs[name]} in epoch {epoch + 1} at {self.setting} {self.learning_rate:g}; "
                    "try a lower one."
                )
        if self.line:
            figures = self.line.format_map(logs)
            print(f"epoch {epoch + 1}/{self.params['epochs']}: {figures}, {logs['seconds']:.0f} s", flush=True)
