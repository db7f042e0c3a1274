"""Stage `train`: train the VAE and keep the weights of its best validation epoch and the history of all epochs."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vae.data.binarization import binarized
from vae.data.splits import Split, load_splits, sample
from vae.errors import InputError
from vae.history import kept_epoch
from vae.io.tables import write_csv
from vae.model.checkpoint import save_model
from vae.model.vae import CHECKED, VAE
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.stage import run_stage
from vae.training.callbacks import DivergenceError
from vae.training.distribution import SharedState, Workers, connected
from vae.training.fit import build_model, fit
from vae.training.initial_weights import set_initial_weights
from vae.training.resume import StateFile, exclusive, fingerprint, state_folder, unfinished


def main() -> None:
    seed, model_settings, settings = load_settings(Model, Train)
    with connected(settings.strategy) as workers:
        train, validation = load_splits(Path("data/prepared"), ("train", "validation"))
        parameters = {"seed": seed, "model": dict(model_settings), "train": dict(settings)} | workers.identity
        if workers.total > 1:
            compare(workers, parameters, (train, validation), Path(settings.initial_weights), seed)
        with workers.strategy.scope():
            model = build_model(train, model_settings, settings, seed)
            if reason := model.likelihood.unfit(sample(train, CHECKED, seed).images[:]):
                raise InputError(reason)
            model.prior.initialize(train.images, seed)
            set_initial_weights(model, Path(settings.initial_weights))
        if model.likelihood.binarizes:
            validation = binarized(validation)
        labels = (train.known_labels, validation.known_labels) if model.conditional else None
        print(f"training on {workers.description()}", flush=True)
        fit_data = partial(fit, model, train.images, validation.images, settings, seed, labels=labels)
        if workers.is_chief:
            data = (train.images, validation.images, *(labels or ()))
            identity = fingerprint(parameters, *data, *model.get_weights())
            with (
                exclusive(Path("models/.training.lock")),
                unfinished(state_folder("models/unfinished"), identity) as state,
            ):
                train_and_save(model, fit_data, SharedState(workers, state))
        else:  # the chief writes
            fit_data(SharedState(workers, None), quiet=True)


def compare(
    workers: Workers, parameters: dict[str, Any], data: tuple[Split, ...], initial_weights: Path, seed: int
) -> None:
    """Compare what this worker trains from with the chief's, before they build the model together.

    Of each split's images, `CHECKED` are compared.

    Raises:
        InputError: something differs.
    """
    names = [(len(split.images), split.class_names.tolist()) for split in data]
    images = [sample(split, CHECKED, seed).images[:] for split in data]
    labels = [split.labels for split in data if split.labels is not None]
    start = np.frombuffer(initial_weights.read_bytes(), np.uint8)
    workers.check_same(fingerprint(parameters | {"data": names}, *images, *labels, start))


def train_and_save(model: VAE, fit_data: Callable[..., pd.DataFrame], state: StateFile) -> None:
    """Train the model, write its history after each epoch, and save it."""
    try:
        history = fit_data(state, report=write_history)
    except DivergenceError as diverged:
        if diverged.best_epoch is None:
            raise
        save_model(model, state.best)
        raise InputError(
            f"{diverged} The weights of epoch {diverged.best_epoch}, the best, are in {state.best}."
        ) from None
    save_model(model, Path("models/vae.keras"))
    best = kept_epoch(history)
    print(f"trained {len(history)} epochs in {history.seconds.sum() / 60:.1f} minutes")
    print(f"kept epoch {best.epoch:.0f}: validation loss {best.val_loss:.2f} nats per image")


def write_history(history: pd.DataFrame) -> None:
    """Write the history without the seconds, so that equal trainings give equal files."""
    write_csv(Path("reports/history.csv"), history.drop(columns="seconds"))


if __name__ == "__main__":
    run_stage(main)
