"""How the time of training, embedding and t-SNE grows with the data: at 1/8, 1/4, 1/2 and all of it."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vae.model  # before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.prepared import prepared
from vae.data.splits import SPLITS, Split
from vae.evaluation.embedding import embed
from vae.io.arrays import load_arrays
from vae.plots.style import COLORS, save_figure
from vae.plots.tsne import tsne
from vae.settings.embed import Embed
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.settings.visualize import Visualize
from vae.training.batches import shuffled_batches
from vae.training.fit import build_model

SHARES = (1 / 8, 1 / 4, 1 / 2, 1)
PICTURE = Path("reports/benchmark_scaling.png")

Work = Callable[[int], object]


def workloads() -> dict[str, tuple[int, Work]]:
    """Return by name: the number of all images, and a function that does the work for a number of them."""
    seed, model, train = load_settings(Model, Train)
    _, embedding, plots = load_settings(Embed, Visualize)
    splits = [prepared(name) for name in SPLITS]
    images, everything = splits[0].images, np.concatenate([split.images for split in splits])
    (z_mean,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean")
    untrained, trained = build_model(splits[0], model, train, seed), vae.load()
    untrained.compile(keras.optimizers.Adam(train.learning_rate))

    def train_an_epoch(count: int) -> None:
        untrained.fit(
            shuffled_batches(images[:count], train.batch_size, seed, range(1)),
            shuffle=False,
            steps_per_epoch=math.ceil(count / train.batch_size),
            verbose=0,
        )

    def embed_images(count: int) -> None:
        embed(trained, Split(everything[:count], None, splits[0].class_names), embedding.batch_size)

    def map_latents(count: int) -> None:
        tsne(z_mean[:count], perplexity=plots.perplexity, seed=seed, title="t-SNE")

    return {
        "training, an epoch": (len(images), train_an_epoch),
        "embedding": (len(everything), embed_images),
        "t-SNE of latents": (len(z_mean), map_latents),
    }


def measure(rounds: int = 2) -> dict[str, Any]:
    """Do each work at each size, in turn; print, draw and return the times and the exponents."""
    rows = []
    works = workloads()
    for total, work in works.values():
        work(total // 32)  # builds the graphs, which is left out
    for _ in range(rounds):
        for share in SHARES:
            for name, (total, work) in works.items():
                started = time.perf_counter()
                work(int(share * total))
                rows.append((name, int(share * total), time.perf_counter() - started))
    table = pd.DataFrame(rows, columns=["work", "images", "seconds"]).groupby(["work", "images"]).seconds.median()
    print(table.unstack(0).to_string(float_format="{:.1f}".format), flush=True)
    exponents = {name: exponent(table[name]) for name in works}
    print("seconds ~ images^e, e: " + ", ".join(f"{name} {e:.2f}" for name, e in exponents.items()), flush=True)
    save_figure(PICTURE, draw(table, exponents))
    seconds = {name: {str(images): value for images, value in table[name].items()} for name in works}
    return {"rounds": rounds, "seconds": seconds, "exponents": exponents}


def exponent(seconds: pd.Series) -> float:
    """Return the slope of log(seconds) over log(images), by least squares; the images are the index."""
    return float(np.polyfit(np.log(seconds.index.to_numpy(float)), np.log(seconds.to_numpy()), 1)[0])


def draw(seconds: pd.Series, exponents: dict[str, float]) -> Figure:
    """Draw seconds against images on logarithmic axes, with the exponents in the legend."""
    figure = Figure(figsize=(7, 4.8), layout="constrained")
    axes = figure.subplots()
    for (name, e), color, marker in zip(exponents.items(), (COLORS[0], COLORS[6], COLORS[3]), "osD", strict=True):
        part = seconds[name]
        axes.plot(part.index, part, marker=marker, color=color, label=f"{name}: seconds ∝ images$^{{{e:.2f}}}$")
    axes.set(title="Time against the number of images", xlabel="images", ylabel="seconds", xscale="log", yscale="log")
    axes.set_xticks([1_000, 3_000, 10_000, 30_000, 100_000], ["1,000", "3,000", "10,000", "30,000", "100,000"])
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3, which="both")
    figure.legend(loc="outside lower center", frameon=False)
    return figure
