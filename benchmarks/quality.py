"""Seconds of training until the validation loss is as low as with the tutorial's settings; what bfloat16 does to it.

The tutorial's settings are plain Keras layers, batches of 128, Adam at a constant 1e-3, and early stopping. Here they
draw ε ~ N(0, I), since the tutorial's own ε does not give a bound. With several seeds they take more than an hour, in
which the speed of the machine changes. Losses and seconds are therefore measured apart, so that both contenders are
timed in the same minutes. `train_tutorial` computes the losses first, with this project's layers, which are the same
function. The seconds of an epoch come from plain steps that take turns with this project's epochs. Each run of this
project is compared with the plain steps of its own minutes.

The tutorial keeps the weights of its last epoch, not of its best. So the target is its final loss, averaged over the
seeds. The lowest loss of each seed on the way is a second, harder target.
"""

import math
import time
from pathlib import Path
from typing import Any

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.keras_worker import Stopwatch, plain_vae
from benchmarks.machine import has_bfloat16
from benchmarks.prepared import prepared
from vae.io.tables import write_csv
from vae.plots.style import COLORS, save_figure
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.training.batches import batches
from vae.training.data_sets import VALIDATION_BATCH_SIZE
from vae.training.fit import build_model, fit

TUTORIAL_HISTORY = Path("reports/benchmark_tutorial.csv")
PICTURE = Path("reports/benchmark_quality.png")
TUTORIAL = {"epochs": 200, "batch_size": 128, "learning_rate": 1e-3, "schedule": "constant", "patience": 5}
TUTORIAL |= {"optimizer": "adam", "epsilon_std": 1.0, "precision": "float32"}
PLAIN_STEPS = 50
SEEDS = (1, 2, 3)


def tutorial_settings() -> tuple[Model, Train]:
    """Return the tutorial's settings, with the number of latent dimensions in `params.yaml`."""
    _, model, train = load_settings(Model, Train)
    return model.model_copy(update={"dropout": 0.0}), train.model_copy(update=TUTORIAL)


def train_tutorial() -> None:
    """Train with the tutorial's settings until early stopping, with each seed; write the losses of all epochs."""
    data, validation = prepared("train"), prepared("validation")
    (model, train), runs = tutorial_settings(), []
    for seed in SEEDS:
        print(f"the tutorial's settings, seed {seed}", flush=True)
        history = fit(build_model(data, model, train, seed), data.images, validation.images, train, seed)
        runs.append(history[["epoch", "loss", "val_loss"]].assign(seed=seed))
    write_csv(TUTORIAL_HISTORY, pd.concat(runs)[["seed", "epoch", "loss", "val_loss"]])


class PlainTurn(keras.callbacks.Callback):
    """Some steps and a validation of the tutorial's plain layers, timed before each epoch of the model in training."""

    def __init__(self, images: NDArray[np.float32], validation_images: NDArray[np.float32]) -> None:
        super().__init__()
        model, train = tutorial_settings()
        self.plain = plain_vae(images.shape[1:], model.latent_dim)
        self.plain.compile(keras.optimizers.Adam(train.learning_rate))
        self.batches = batches(images[: PLAIN_STEPS * train.batch_size], train.batch_size)
        self.validation_batches = batches(validation_images, VALIDATION_BATCH_SIZE)
        self.steps_an_epoch = math.ceil(len(images) / train.batch_size)
        self.epoch_seconds: list[float] = []
        self._turn()  # builds the graphs, which is left out

    def _turn(self) -> float:
        stopwatch = Stopwatch()
        self.plain.fit(self.batches, shuffle=False, callbacks=[stopwatch], verbose=0)
        started = time.perf_counter()
        self.plain.evaluate(self.validation_batches, verbose=0)
        validation = time.perf_counter() - started
        return stopwatch.seconds / (PLAIN_STEPS - 1) * self.steps_an_epoch + validation

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch_seconds.append(self._turn())


def measure() -> dict[str, Any]:
    """Train with `params.yaml` and each seed, in turn with the plain layers; print, draw and return the results.

    The precision is float32, and also bfloat16 if the processor has instructions for it.
    """
    tutorial = pd.read_csv(TUTORIAL_HISTORY)
    data, validation = prepared("train"), prepared("validation")
    _, model, train = load_settings(Model, Train)
    turns = PlainTurn(data.images[:], validation.images[:])
    histories: dict[str, list[pd.DataFrame]] = {}
    for precision in ("float32", "mixed_bfloat16") if has_bfloat16() else ("float32",):
        changed = train.model_copy(update={"precision": precision})
        for seed in SEEDS:
            print(f"seed {seed}, {precision}", flush=True)
            untrained = build_model(data, model, changed, seed)
            history = fit(untrained, data.images, validation.images, changed, seed, callbacks=[turns])
            plain_epoch = float(np.median(turns.epoch_seconds[-len(history) :]))
            run = history.assign(elapsed=history.seconds.cumsum(), plain_epoch=plain_epoch)
            histories.setdefault(precision, []).append(run)
    tutorial["elapsed"] = tutorial.epoch * np.median(turns.epoch_seconds)
    tutorial_runs = [run for _, run in tutorial.groupby("seed")]
    curves = {name: [run[["val_loss", "elapsed"]].to_dict("list") for run in runs] for name, runs in histories.items()}
    return {**compare(histories, tutorial_runs), "curves": curves, "plain_epoch_seconds": turns.epoch_seconds}


def compare(histories: dict[str, list[pd.DataFrame]], tutorial: list[pd.DataFrame]) -> dict[str, Any]:
    """Print, draw and return when this project's loss is no higher than with the tutorial's settings.

    Args:
        histories: the runs of this project by precision, which include `float32`, one per seed. Columns: `val_loss`;
            `elapsed`, the seconds until the end of each epoch; `plain_epoch`, the seconds of an epoch of the tutorial
            meanwhile.
        tutorial: the runs with the tutorial's settings, one per seed. Columns: `epoch`, `val_loss`, and `elapsed`, from
            the median over all its epochs.

    Returns:
        `ratio`: the share of the tutorial's time until its final loss, in float32. For each precision, `reach` of that
        loss, and under `lowest` the same for the lowest loss. `bfloat16_cost`, if both precisions ran.
    """
    last = pd.DataFrame([run.iloc[-1] for run in tutorial])
    best = pd.DataFrame([run.iloc[run.val_loss.argmin()] for run in tutorial])
    result: dict[str, Any] = {}
    for precision, runs in histories.items():
        final, lowest = reach(runs, last), reach(runs, best)
        for name, part in (("final", final), ("lowest", lowest)):
            pairs = zip(part["seconds"], part["ratios"], strict=True)
            seconds = ", ".join("not reached" if s is None else f"{s:.0f} s ({r:.3f})" for s, r in pairs)
            median = "" if part["ratio"] is None else f"; median ratio {part['ratio']:.3f}"
            line = "the tutorial's {} loss: {target:.2f} nats after {tutorial_seconds:.0f} s; here in {}: {}{}"
            print(line.format(name, precision, seconds, median, **part), flush=True)
        result[precision] = {**final, "lowest": lowest}
    if len(histories) > 1:
        result["bfloat16_cost"] = bfloat16_cost(histories)
    save_figure(PICTURE, draw(histories, tutorial))
    return {"ratio": result["float32"]["ratio"], **result}


def reach(runs: list[pd.DataFrame], tutorial: pd.DataFrame) -> dict[str, Any]:
    """Return when this project's loss is no higher than the tutorial's at certain epochs.

    Args:
        runs: the runs of this project.
        tutorial: the epoch of each run of the tutorial, one per row.

    Returns:
        `target`, the loss in nats, and `tutorial_seconds` until the tutorial reaches it: means over its runs, whose own
        values are `tutorial_losses` and `tutorial_epochs`. `seconds` until each run of this project reaches it, None if
        its loss stays above. `ratios` of these to the tutorial's seconds, from its epochs meanwhile. `ratio`, their
        median, None if the median run stays above.
    """
    target, tutorial_seconds = float(tutorial.val_loss.mean()), float(tutorial.elapsed.mean())
    reached = [float(run.elapsed[run.val_loss <= target].min()) for run in runs]  # NaN where it stays above
    ratios = [s / (run.plain_epoch.iloc[0] * tutorial.epoch.mean()) for s, run in zip(reached, runs, strict=True)]
    median = float(np.median(np.nan_to_num(ratios, nan=math.inf)))
    return {
        "target": target,
        "tutorial_seconds": tutorial_seconds,
        "tutorial_losses": tutorial.val_loss.tolist(),
        "tutorial_epochs": tutorial.epoch.astype(int).tolist(),
        "seconds": [None if math.isnan(seconds) else seconds for seconds in reached],
        "ratios": [None if math.isnan(ratio) else ratio for ratio in ratios],
        "ratio": median if math.isfinite(median) else None,
    }


def bfloat16_cost(histories: dict[str, list[pd.DataFrame]]) -> dict[str, Any]:
    """Return how much higher the validation loss is with `mixed_bfloat16` than with `float32`, at each best epoch.

    Returns:
        `differences` in nats, one per seed; their `mean`; and the `standard_error` of the mean, for two seeds or more.
    """
    float32, bfloat16 = (
        np.array([run.val_loss.min() for run in histories[precision]]) for precision in ("float32", "mixed_bfloat16")
    )
    difference = bfloat16 - float32
    mean, error = float(difference.mean()), float(scipy.stats.sem(difference))
    print(
        f"mixed_bfloat16 changes the lowest validation loss by {mean:+.2f} ± {error:.2f} nats "
        f"({', '.join(f'{d:+.2f}' for d in difference)})",
        flush=True,
    )
    return {"differences": difference.tolist(), "mean": mean, "standard_error": error}


def draw(histories: dict[str, list[pd.DataFrame]], tutorial: list[pd.DataFrame]) -> Figure:
    """Draw the validation loss against seconds of training, on a logarithmic axis; one line per seed."""
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    lines = {"the tutorial's settings and layers": tutorial}
    lines |= {f"this project, {precision}": runs for precision, runs in histories.items()}
    for (name, runs), color, marker in zip(lines.items(), (COLORS[6], COLORS[0], COLORS[3]), "soD", strict=False):
        for i, run in enumerate(runs):
            label = None if i else f"{name}, {len(runs)} seeds"
            axes.plot(run.elapsed, run.val_loss, f"{marker}-", ms=3, lw=1, color=color, label=label)
    end, seconds = (float(np.mean([run[column].iloc[-1] for run in tutorial])) for column in ("val_loss", "elapsed"))
    axes.axhline(end, color="grey", linestyle=":", label="final loss of the tutorial's settings, mean")
    axes.set(title=f"The tutorial's settings end at {end:.2f} nats after {seconds:,.0f} s", xscale="log")
    axes.set(xlabel="seconds of training", ylabel="validation loss (−ELBO), nats per image")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure
