"""Seconds of training until the held-out loss is below what the post's settings end at; what bfloat16 does to it.

The post's settings: plain Keras layers, batches of 128, Adam at a constant 1e-3, early stopping; with ε ~ N(0, I),
since with the post's own ε the loss is no bound. With several seeds they take an hour and more, in which the machine's
speed changes. So that both are timed in the same minutes, the post's losses come first (`train_post`, by this project's
layers, which compute the same function), and its seconds an epoch are those of plain steps in turn with this project's
own epochs: each run of this project is compared by those in turn with it.

The post keeps the weights of its last epoch, not of its best: the target is its loss at the end, in the mean over its
seeds. The lowest loss that each seed had on the way makes a second, harder one.
"""

import math
import time
from pathlib import Path
from typing import Any

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.keras_worker import Stopwatch, plain_vae
from benchmarks.machine import has_bfloat16
from vae.figures.style import COLORS, save_figure
from vae.files import write_csv
from vae.nn.batches import batches
from vae.nn.training import VALIDATION_BATCH_SIZE, build_model, fit
from vae.settings import Train, load_settings
from vae.splits import load_split

POST_HISTORY = Path("reports/benchmark_post.csv")
PICTURE = Path("reports/benchmark_quality.png")
POST = {"epochs": 200, "batch_size": 128, "learning_rate": 1e-3, "schedule": "constant", "patience": 5}
POST |= {"optimizer": "adam", "dropout": 0.0, "epsilon_std": 1.0, "precision": "float32"}
PLAIN_STEPS = 50
SEEDS = (1, 2, 3)


def post_settings() -> Train:
    """The post's, with the number of latent dimensions of `params.yaml`."""
    return load_settings(Train)[0].model_copy(update=POST)


def train_post() -> None:
    """Trains with the post's settings until early stopping, with each seed; writes the losses of all epochs."""
    images, validation_images = _images()
    settings, runs = post_settings(), []
    for seed in SEEDS:
        print(f"the post's settings, seed {seed}", flush=True)
        history = fit(build_model(settings, seed), images, validation_images, settings, seed)
        runs.append(history[["epoch", "loss", "val_loss"]].assign(seed=seed))
    write_csv(POST_HISTORY, pd.concat(runs)[["seed", "epoch", "loss", "val_loss"]])


class PlainTurn(keras.callbacks.Callback):
    """Before each epoch of the model in training, times some steps and a validation of the post's plain layers."""

    def __init__(self, images: NDArray[np.float32], validation_images: NDArray[np.float32]) -> None:
        super().__init__()
        settings = post_settings()
        self.plain = plain_vae(latent_dim=settings.latent_dim)
        self.plain.compile(keras.optimizers.Adam(settings.learning_rate))
        self.batches = batches(images[: PLAIN_STEPS * settings.batch_size], settings.batch_size)
        self.validation_batches = batches(validation_images, VALIDATION_BATCH_SIZE)
        self.steps_an_epoch = math.ceil(len(images) / settings.batch_size)
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
    """Trains with `params.yaml` but for the seeds, in turn with the plain layers; prints, draws and returns.

    In float32, and in bfloat16 too where the processor has instructions for it.
    """
    post = pd.read_csv(POST_HISTORY)
    images, validation_images = _images()
    settings, _ = load_settings(Train)
    turns = PlainTurn(images, validation_images)
    histories: dict[str, list[pd.DataFrame]] = {}
    for precision in ("float32", "mixed_bfloat16") if has_bfloat16() else ("float32",):
        changed = settings.model_copy(update={"precision": precision})
        for seed in SEEDS:
            print(f"seed {seed}, {precision}", flush=True)
            history = fit(build_model(changed, seed), images, validation_images, changed, seed, callbacks=[turns])
            plain_epoch = float(np.median(turns.epoch_seconds[-len(history) :]))
            run = history.assign(elapsed=history.seconds.cumsum(), plain_epoch=plain_epoch)
            histories.setdefault(precision, []).append(run)
    post["elapsed"] = post.epoch * np.median(turns.epoch_seconds)
    post_runs = [run for _, run in post.groupby("seed")]
    curves = {name: [run[["val_loss", "elapsed"]].to_dict("list") for run in runs] for name, runs in histories.items()}
    return {**compare(histories, post_runs), "curves": curves, "plain_epoch_seconds": turns.epoch_seconds}


def compare(histories: dict[str, list[pd.DataFrame]], post: list[pd.DataFrame]) -> dict[str, Any]:
    """Prints, draws and returns when this project's settings are below the held-out loss of the post's.

    Args:
        histories: of this project's settings, by precision, `float32` among them, one a seed, with `val_loss`;
            `elapsed`, the seconds until the end of each epoch; `plain_epoch`, those of an epoch of the post meanwhile.
        post: of the post's settings, one a seed, with `epoch`, `val_loss` and, by the median of all, `elapsed`.

    Returns:
        `ratio`, in float32, of the seconds until the loss of the post's last epoch; for each precision `reach` of that,
        under `lowest` that of the post's epoch of the lowest loss; where both precisions ran, `bfloat16_cost`.
    """
    last = pd.DataFrame([run.iloc[-1] for run in post])
    best = pd.DataFrame([run.iloc[run.val_loss.argmin()] for run in post])
    result: dict[str, Any] = {}
    for precision, runs in histories.items():
        end, lowest = reach(runs, last), reach(runs, best)
        for name, part in (("at their end", end), ("at their lowest", lowest)):
            pairs = zip(part["seconds"], part["ratios"], strict=True)
            seconds = ", ".join("not reached" if s is None else f"{s:.0f} s ({r:.3f})" for s, r in pairs)
            ratio = "" if part["ratio"] is None else f", {part['ratio']:.3f} of that in the median"
            line = "the post's settings {}: {target:.2f} nats after {post_seconds:.0f} s; this project in {}: {}{}"
            print(line.format(name, precision, seconds, ratio, **part), flush=True)
        result[precision] = {**end, "lowest": lowest}
    if len(histories) > 1:
        result["bfloat16_cost"] = bfloat16_cost(histories)
    save_figure(PICTURE, draw(histories, post))
    return {"ratio": result["float32"]["ratio"], **result}


def reach(runs: list[pd.DataFrame], post: pd.DataFrame) -> dict[str, Any]:
    """When this project's loss is no higher than the post's.

    Args:
        runs: of this project.
        post: the epoch of each of the post's runs at which it is met, a row each.

    Returns:
        The loss, `target`, in nats, and `post_seconds` until the post has it, means over its runs, whose own are
        `post_losses` and `post_epochs`; `seconds` until each run of this project has it, None if its loss stays above;
        `ratios` of these to the post's, by the seconds of its epochs meanwhile; `ratio`, their median, None if the
        median run stays above.
    """
    target, post_seconds = float(post.val_loss.mean()), float(post.elapsed.mean())
    reached = [float(run.elapsed[run.val_loss <= target].min()) for run in runs]  # NaN where it stays above
    ratios = [s / (run.plain_epoch.iloc[0] * post.epoch.mean()) for s, run in zip(reached, runs, strict=True)]
    median = float(np.median(np.nan_to_num(ratios, nan=math.inf)))
    return {
        "target": target,
        "post_seconds": post_seconds,
        "post_losses": post.val_loss.tolist(),
        "post_epochs": post.epoch.astype(int).tolist(),
        "seconds": [None if math.isnan(seconds) else seconds for seconds in reached],
        "ratios": [None if math.isnan(ratio) else ratio for ratio in ratios],
        "ratio": median if math.isfinite(median) else None,
    }


def bfloat16_cost(histories: dict[str, list[pd.DataFrame]]) -> dict[str, Any]:
    """How much higher `mixed_bfloat16` leaves the held-out loss than `float32`, in nats, at each run's best epoch.

    Returns:
        `differences`, one a seed, their `mean` and the `standard_error` of that, for which it takes two or more.
    """
    float32, bfloat16 = (
        np.array([run.val_loss.min() for run in histories[precision]]) for precision in ("float32", "mixed_bfloat16")
    )
    difference = bfloat16 - float32
    mean, error = float(difference.mean()), float(scipy.stats.sem(difference))
    print(
        f"mixed_bfloat16 costs {mean:.2f} ± {error:.2f} nats of the final held-out loss "
        f"({', '.join(f'{d:+.2f}' for d in difference)})",
        flush=True,
    )
    return {"differences": difference.tolist(), "mean": mean, "standard_error": error}


def draw(histories: dict[str, list[pd.DataFrame]], post: list[pd.DataFrame]) -> Figure:
    """Held-out loss against seconds of training, on a logarithmic axis; one line a seed."""
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    lines = {"the post's settings and layers": post}
    lines |= {f"this project, {precision}": runs for precision, runs in histories.items()}
    for (name, runs), color, marker in zip(lines.items(), (COLORS[6], COLORS[0], COLORS[3]), "soD", strict=False):
        for i, run in enumerate(runs):
            label = None if i else f"{name}, {len(runs)} seeds"
            axes.plot(run.elapsed, run.val_loss, f"{marker}-", ms=3, lw=1, color=color, label=label)
    end, seconds = (float(np.mean([run[column].iloc[-1] for run in post])) for column in ("val_loss", "elapsed"))
    axes.axhline(end, color="grey", linestyle=":", label="what the post's settings end at, in the mean")
    axes.set(title=f"The post's settings end at {end:.2f} nats after {seconds:,.0f} s", xscale="log")
    axes.set(xlabel="seconds of training", ylabel="held-out loss (−ELBO), nats per image")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure


def _images() -> list[NDArray[np.float32]]:
    return [load_split(Path(f"data/prepared/{name}.npz")).images for name in ("train", "validation")]
