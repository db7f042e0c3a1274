"""Training of the VAE, with early stopping on the validation loss and a history of the epochs."""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import keras
import pandas as pd

from vae.data.shards import Images
from vae.data.splits import Labels, Split
from vae.errors import InputError
from vae.history import history
from vae.model.objectives.elbo import NEGATIVE_ELBO
from vae.model.vae import VAE
from vae.settings.model import Model
from vae.settings.train import Train
from vae.training.callbacks import DivergenceError, EpochLine, EpochRecord, ValidationNoise
from vae.training.data_sets import data_sets
from vae.training.optimizers import build_optimizer
from vae.training.resume import Resume, StateFile
from vae.training.schedules import learning_rate_schedule

LINE = "loss {loss:.2f} (reconstruction {reconstruction:.2f} + KL {kl:.2f}), validation {val_loss:.2f}"
OTHER_LINE = (
    "loss {{loss:.2f}} ({name}), reconstruction {{reconstruction:.2f}}, KL {{kl:.2f}}; "
    "validation {{val_loss:.2f}} ({elbo})"
)
"""The line of an objective that is not the sum of the two terms."""
EXECUTIONS = 50
"""The least number of an epoch's executions, if it has as many steps."""


def build_model(data: Split, model: Model, train: Train, seed: int) -> VAE:
    """Return an untrained model for images like `data`. Its initial weights and its noise follow the seed.

    Raises:
        InputError: the model is conditional, but the images have no labels; the warm-up of the KL is
            longer than the training; or as in `VAE`.
    """
    epochs_of_warmup(train, math.ceil(len(data.images) / train.batch_size))
    if model.conditional and data.labels is None:
        raise InputError(
            "model.conditional is true in params.yaml, but the prepared images have no labels; set it to false, or use "
            "images with labels."
        )
    keras.utils.set_random_seed(seed)
    return VAE(
        data.images.shape[1:],
        **model.model_dump(),
        objective=train.objective,
        samples=train.samples,
        beta=train.beta,
        beta_warmup=train.beta_warmup,
        free_bits=train.free_bits,
        epsilon_std=train.epsilon_std,
        precision=train.precision,
        seed=seed,
        class_names=data.class_names.tolist(),
        image_fit=data.fit,
    )


def fit(
    model: VAE,
    images: Images,
    validation_images: Images,
    settings: Train,
    seed: int,
    state: StateFile | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    report: Callable[[pd.DataFrame], None] | None = None,
    labels: tuple[Labels, Labels] | None = None,
    *,
    quiet: bool = False,
) -> pd.DataFrame:
    """Train for `epochs`, or until `patience` epochs in a row bring no lower validation loss.

    The model ends with the weights of its best validation epoch. If the KL has a warm-up, both count only the epochs
    that end with its full weight.

    Args:
        model: an untrained model, which is changed in place.
        images: (n, height, width, channels), shuffled again in each epoch.
        validation_images: (m, height, width, channels).
        settings: the settings of the stage `train`.
        seed: the seed of the shuffling.
        state: the file that keeps the state of the training after each epoch. If it contains one, the training resumes
            from there, and ends as if it had never been interrupted.
        callbacks: called before this module's own callbacks, outside the seconds that are recorded.
        report: called with the history so far after each epoch, once its state is on the disk, and when the training
            resumes.
        labels: (n,) of the images and (m,) of the validation images, for a conditional model.
        quiet: whether to print nothing, as the workers do that are not the chief.

    Returns:
        One row per epoch, with its number (from 1), the training and the validation loss and their two terms, the
        learning rate at its end, the seconds it took and, with a warm-up, the weight of the KL at its end. Losses are
        in nats per image, with noise of `epsilon_std`. The training loss is the objective, averaged during the epoch,
        with dropout; the validation loss is the negative ELBO, computed after the epoch, without dropout.

    Raises:
        DivergenceError: the loss or a weight became NaN or infinite. The model then has the weights of its best epoch,
            if there is one.
        InputError: the warm-up of the KL is longer than the training; the labels do not fit the model; or a batch
            has fewer images than there are replicas.
    """
    steps = math.ceil(len(images) / settings.batch_size)
    record = EpochRecord("train.learning_rate", settings.learning_rate)
    early_stopping = keras.callbacks.EarlyStopping(
        "val_loss",
        mode="min",
        patience=settings.patience,
        restore_best_weights=True,
        start_from_epoch=epochs_of_warmup(settings, steps),
    )
    resume = Resume(state, record, early_stopping) if state else None
    epochs = resume.remaining(settings.epochs) if resume else range(settings.epochs)
    replicas = model.distribute_strategy.num_replicas_in_sync
    at_once = steps_per_execution(steps) if replicas == 1 else 1  # Keras 3.15 fails in its loop over divided batches
    with model.distribute_strategy.scope():
        learning_rate = learning_rate_schedule(settings, len(images))
        optimizer = build_optimizer(settings.optimizer, learning_rate, settings.weight_decay, model)
        model.compile(optimizer, steps_per_execution=at_once)
    with_bar = sys.stdout.isatty() and not quiet
    with_lines = not (with_bar or quiet)
    data = data_sets(model, (images, validation_images), labels, settings.batch_size, seed, epochs)

    def report_history(*_: Any) -> None:
        if report and record.rows:
            report(history(record.rows, settings.beta, settings.beta_warmup / steps))

    try:
        model.fit(
            data.training,
            shuffle=False,  # `shuffled_batches` does
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            steps_per_epoch=steps,
            validation_data=data.validation,
            validation_steps=data.validation_steps,
            callbacks=[
                *(*callbacks, ValidationNoise(), record, early_stopping),
                *([resume] if resume else []),
                keras.callbacks.LambdaCallback(on_train_begin=report_history, on_epoch_end=report_history),
                *([EpochLine(record, epoch_line(model))] if with_lines else []),  # last: the epoch's state is on disk
            ],
            verbose=1 if with_bar else 0,
        )
    except DivergenceError as diverged:
        if early_stopping.best_weights:
            model.set_weights(early_stopping.best_weights)
            diverged.best_epoch = early_stopping.best_epoch + 1
        raise
    return history(record.rows, settings.beta, settings.beta_warmup / steps)


def epoch_line(model: VAE) -> str:
    """Return the format of the line about an epoch's losses."""
    name = model.objective.loss_name
    return LINE if name == NEGATIVE_ELBO else OTHER_LINE.format(name=name, elbo=NEGATIVE_ELBO)


def epochs_of_warmup(settings: Train, steps: int) -> int:
    """Return how many epochs of `steps` steps end before the weight of the KL has reached `beta`.

    Raises:
        InputError: the warm-up is longer than the training.
    """
    epochs = max(0, math.ceil(settings.beta_warmup / steps) - 1)
    if epochs >= settings.epochs:
        raise InputError(
            f"train.beta_warmup is {settings.beta_warmup:,} steps, but train.epochs: {settings.epochs} gives only "
            f"{steps * settings.epochs:,} steps; the epoch that is kept must come after the warm-up."
        )
    return epochs


def steps_per_execution(steps: int) -> int:
    """Return the number of an epoch's steps that TensorFlow takes at a time: Python takes time between executions.

    It divides the number of steps, or else the last execution would reach into the next epoch. It leaves at least
    `EXECUTIONS` per epoch, since only between them can the progress bar move and a diverging training be stopped.
    """
    return max(k for k in range(1, 9) if k == 1 or (steps % k == 0 and steps >= EXECUTIONS * k))
