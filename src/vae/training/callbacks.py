"""Callbacks that record and print each epoch of a training, and end a training that diverges."""

import math
import time
from typing import Any

import keras
import numpy as np

from vae.errors import InputError


class DivergenceError(InputError):
    """The loss of a training, or a weight of its model, has become NaN or infinite."""

    best_epoch: int | None = None
    """The epoch, from 1, whose weights the model has now; None if no epoch ended in finite numbers."""


class EpochRecord(keras.callbacks.Callback):
    """A record of each epoch's metrics, learning rate and seconds. It ends a training that diverges.

    Args:
        setting: the key of the learning rate in `params.yaml`, for example `train.learning_rate`.
        learning_rate: the value of that key.

    Raises:
        DivergenceError: the loss, or at the end of an epoch a weight, has become NaN or infinite.
    """

    def __init__(self, setting: str, learning_rate: float) -> None:
        super().__init__()
        self.setting, self.learning_rate = setting, learning_rate
        self.rows: list[dict[str, float]] = []
        """One per epoch, in their order."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch, self.finite_steps, self.started = epoch, 0, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        # The mean over the epoch's steps so far, which stays NaN or infinite after one step with such a loss. Several
        # steps may be one execution, and this is called only after the last of them.
        if not math.isfinite(logs["loss"]):
            first, last = self.finite_steps + 1, batch + 1
            where = f"step {last}" if first == last else f"one of the steps {first} to {last}"
            self._end("the loss", f"{where} of {self.params['steps']}")
        self.finite_steps = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        if not math.isfinite(logs["val_loss"]):
            self._end("the validation loss", "after its last step")
        # Pooling and ReLU can hide a NaN weight from the loss.
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            self._end("a weight", "by its last step")
        logs["learning_rate"] = self._learning_rate()
        logs["seconds"] = time.perf_counter() - self.started
        self.rows.append({name: float(value) for name, value in logs.items()})

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def _end(self, what: str, when: str) -> None:
        self.model.optimizer.iterations.assign_sub(1)  # back to the learning rate of the last step
        raise DivergenceError(
            f"{what} became NaN or infinite in epoch {self.epoch + 1}, {when}, at a learning rate of "
            f"{self._learning_rate():.3g}; {self.setting} is {self.learning_rate:g}: try a lower one."
        )


class EpochLine(keras.callbacks.Callback):
    """A printed line per epoch, for where Keras shows no progress bar.

    Args:
        record: the record of the epochs, called before this callback.
        line: the format of the metrics, for example `loss {loss:.2f}`.
    """

    def __init__(self, record: EpochRecord, line: str) -> None:
        super().__init__()
        self.record, self.line = record, line

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = self.record.rows[-1]
        metrics = f"{self.line.format_map(row)}, {row['seconds']:.0f} s"
        print(f"epoch {epoch + 1}/{self.params['epochs']}: {metrics}", flush=True)


class ValidationNoise(keras.callbacks.Callback):
    """The same noise in `Sampling` at every validation, so that epochs differ only by their weights."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        seed, _ = self.model.sampling.seed_generator.state.numpy()
        self.noise = np.array([seed ^ 1, 0], np.uint32)  # another stream than the training's

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        state = self.model.sampling.seed_generator.state
        self.in_training = state.numpy()
        state.assign(self.noise)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.sampling.seed_generator.state.assign(self.in_training)
