"""Training: the learning-rate schedule, what is recorded each epoch, and early stopping on the validation loss."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import KerasTensor, ops
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule
from numpy.typing import NDArray

from vae.nn.batches import batches, shuffled_batches
from vae.nn.model import VAE
from vae.nn.optimizer import OPTIMIZERS
from vae.nn.progress import DivergenceError, EpochLine, EpochRecord
from vae.nn.resume import Resume, StateFile
from vae.settings import Train

VALIDATION_BATCH_SIZE = 500
HISTORY_COLUMNS = (
    *("loss", "reconstruction", "kl"),
    *("val_loss", "val_reconstruction", "val_kl"),
    *("learning_rate", "seconds"),
)
LINE = "loss {loss:.2f} (reconstruction {reconstruction:.2f} + KL {kl:.2f}), validation {val_loss:.2f}"


def build_model(settings: Train, seed: int) -> VAE:
    """An untrained model. Its weights, its noise and the shuffling in `fit` all follow the seed."""
    keras.utils.set_random_seed(seed)
    return VAE(settings.latent_dim, settings.dropout, settings.epsilon_std, seed, settings.precision)


class Trapezoid(LearningRateSchedule):
    """A straight line from zero to the peak, the peak until half of the steps, then a straight line down to zero.

    Hägele et al. (2024), "Scaling laws and compute-optimal training beyond fixed training durations",
    https://arxiv.org/abs/2405.18392: a constant rate with a linear cooldown.
    """

    def __init__(self, peak: float, steps: int, warmup_steps: int) -> None:
        self.peak, self.steps, self.warmup_steps = peak, steps, warmup_steps

    def __call__(self, step: KerasTensor) -> KerasTensor:
        step = ops.cast(step, "float32")
        rising = step / self.warmup_steps if self.warmup_steps else 1.0
        falling = (self.steps - step) / (self.steps - max(self.warmup_steps, self.steps // 2))
        return self.peak * ops.clip(ops.minimum(rising, falling), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "warmup_steps": self.warmup_steps}


def learning_rate_schedule(settings: Train, images: int) -> float | LearningRateSchedule:
    """The constant learning rate; or one that rises to it from zero and ends at zero, as a trapezoid or half a cosine.

    The cosine: Loshchilov & Hutter, "SGDR" (2017), equation 5, without restarts, https://arxiv.org/abs/1608.03983.

    Args:
        settings: `epochs`, `batch_size`, `learning_rate`, `schedule` and `warmup` are used.
        images: number of training images.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * math.ceil(images / settings.batch_size)
    warmup_steps = int(settings.warmup * steps)
    if settings.schedule == "trapezoid":
        return Trapezoid(settings.learning_rate, steps, warmup_steps)
    return CosineDecay(0.0, steps - warmup_steps, warmup_target=settings.learning_rate, warmup_steps=warmup_steps)


def steps_per_execution(steps: int) -> int:
    """How many of an epoch's steps TensorFlow takes at a time, since Python takes its share of time between them.

    A divisor, or the last execution would reach into the next epoch; and few enough for 50 executions or more an epoch,
    after each of which the progress bar moves, and a training that diverges is stopped.
    """
    return max(k for k in range(1, 9) if k == 1 or (steps % k == 0 and steps >= 50 * k))


def fit(
    model: VAE,
    images: NDArray[np.float32],
    validation_images: NDArray[np.float32],
    settings: Train,
    seed: int,
    state: StateFile | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> pd.DataFrame:
    """Train until `epochs`, or until `patience` epochs in a row bring no lower validation loss.

    The model ends with the weights of its best validation epoch.

    Args:
        model: untrained; changed in place.
        images: (n, 28, 28, 1), shuffled anew each epoch.
        validation_images: (m, 28, 28, 1).
        settings: of the stage `train`.
        seed: of the shuffling.
        state: where the state of the training is kept after each epoch. If it holds one, the training goes on from it,
            and ends as if it had never been interrupted.
        callbacks: called before those of this module, outside the seconds that are recorded.

    Returns:
        One row an epoch: its number from 1; the loss and its two terms, in nats per image, for training (averaged
        while the epoch goes on, with dropout) and for validation (after it, without), both with noise of
        `epsilon_std`; the learning rate at its end; the seconds it took.

    Raises:
        DivergenceError: the loss is no longer a finite number, or a weight is none. The model then has the weights of
            its best epoch, if there is one.
    """
    on_terminal = sys.stdout.isatty()
    steps = math.ceil(len(images) / settings.batch_size)
    record = EpochRecord("train.learning_rate", settings.learning_rate, model.finite_steps.count)
    early_stopping = keras.callbacks.EarlyStopping(
        "val_loss", mode="min", patience=settings.patience, restore_best_weights=True
    )
    resume = Resume(state, record, early_stopping) if state else None
    epochs = resume.remaining(settings.epochs) if resume else range(settings.epochs)
    optimizer = OPTIMIZERS[settings.optimizer](learning_rate_schedule(settings, len(images)))
    model.compile(optimizer, steps_per_execution=steps_per_execution(steps))
    try:
        model.fit(
            shuffled_batches(images, settings.batch_size, seed, epochs),
            shuffle=False,  # `shuffled_batches` does
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            steps_per_epoch=steps,
            validation_data=batches(validation_images, VALIDATION_BATCH_SIZE),
            callbacks=[
                *(*callbacks, ValidationNoise(), record, early_stopping),
                *([resume] if resume else []),
                *([] if on_terminal else [EpochLine(record, LINE)]),  # of an epoch whose state is on disk
            ],
            verbose=1 if on_terminal else 0,
        )
    except DivergenceError as diverged:
        if early_stopping.best_weights:
            model.set_weights(early_stopping.best_weights)
            diverged.best_epoch = early_stopping.best_epoch + 1
        raise
    table = pd.DataFrame(record.rows)[[*HISTORY_COLUMNS]]
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    return table


class ValidationNoise(keras.callbacks.Callback):
    """Draws the same noise in `Sampling` at every validation, so that epochs are compared by their weights alone."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        seed, _ = self.model.sampling.seed_generator.state.numpy()
        self.noise = np.array([seed ^ 1, 0], np.uint32)  # another stream than that of the training

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        state = self.model.sampling.seed_generator.state
        self.in_training = state.numpy()
        state.assign(self.noise)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.sampling.seed_generator.state.assign(self.in_training)
