"""Training: the learning-rate schedule, what is recorded each epoch, and early stopping on the validation loss."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule
from numpy.typing import NDArray

from vae.nn.batches import batches
from vae.nn.model import VAE
from vae.nn.optimizer import OPTIMIZERS
from vae.nn.progress import EpochRecord
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


def learning_rate_schedule(settings: Train, images: int) -> float | LearningRateSchedule:
    """The constant learning rate, or a linear warm-up from zero to it, then half a cosine down to zero.

    Loshchilov & Hutter, "SGDR" (2017), equation 5, without restarts, https://arxiv.org/abs/1608.03983.

    Args:
        settings: `epochs`, `batch_size`, `learning_rate`, `schedule` and `warmup` are used.
        images: number of training images.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * math.ceil(images / settings.batch_size)
    warmup_steps = int(settings.warmup * steps)
    return CosineDecay(0.0, steps - warmup_steps, warmup_target=settings.learning_rate, warmup_steps=warmup_steps)


def fit(
    model: VAE,
    images: NDArray[np.float32],
    validation_images: NDArray[np.float32],
    settings: Train,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> pd.DataFrame:
    """Train until `epochs`, or until `patience` epochs in a row bring no lower validation loss.

    The model ends with the weights of its best validation epoch.

    Args:
        model: changed in place.
        images: (n, 28, 28, 1), shuffled anew each epoch.
        validation_images: (m, 28, 28, 1).
        settings: of the stage `train`.
        callbacks: called before those of this module, outside the seconds that are recorded.

    Returns:
        One row an epoch: its number from 1; the loss and its two terms, in nats per image, for training (averaged
        while the epoch goes on, with dropout) and for validation (after it, without), both with noise of
        `epsilon_std`; the learning rate at its end; the seconds it took.

    Raises:
        InputError: the loss is no longer a finite number.
    """
    on_terminal = sys.stdout.isatty()
    model.compile(optimizer=OPTIMIZERS[settings.optimizer](learning_rate_schedule(settings, len(images))))
    history = model.fit(
        batches(images, settings.batch_size, shuffle=True),
        shuffle=False,  # `batches` does
        epochs=settings.epochs,
        validation_data=batches(validation_images, VALIDATION_BATCH_SIZE),
        callbacks=[
            *callbacks,
            ValidationNoise(),
            EpochRecord("train.learning_rate", settings.learning_rate, None if on_terminal else LINE),
            keras.callbacks.EarlyStopping(
                "val_loss", mode="min", patience=settings.patience, restore_best_weights=True
            ),
        ],
        verbose=1 if on_terminal else 0,
    )
    table = pd.DataFrame(history.history)[[*HISTORY_COLUMNS]]
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    return table


class ValidationNoise(keras.callbacks.Callback):
    """Draws the same noise in `Sampling` at every validation, so that epochs are compared by their weights alone."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        state = self.model.sampling.seed_generator.state
        if not hasattr(self, "noise"):
            self.noise = state.numpy() + 1  # another stream than that of the training
        self.in_training = state.numpy()
        state.assign(self.noise)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.sampling.seed_generator.state.assign(self.in_training)
