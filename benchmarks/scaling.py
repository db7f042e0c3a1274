"""How the time of training, embedding and t-SNE grows with the data: at 1/8, 1/4, 1/2 and all of it."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vae.figures.style import COLORS, save_figure
from vae.nn.batches import shuffled_batches
from vae.nn.checkpoint import load_checkpoint
from vae.nn.embedding import embed
from vae.nn.training import build_model
from vae.settings import Embed, Train, Visualize, load_settings
from vae.splits import SPLITS, load_arrays, load_split
from vae.tsne import tsne

SHARES = (1 / 8, 1 / 4, 1 / 2, 1)
PICTURE = Path("reports/benchmark_scaling.png")

Work = Callable[[int], object]


def workloads() -> dict[str, tuple[int, Work]]:
    """By name: the number of images in all, and what does the work on so many of them."""
    train_settings, seed = load_settings(Train)
    splits = [load_split(Path(f"data/prepared/{name}.npz")) for name in SPLITS]
    train_images = splits[0].images
    images, labels = (np.concatenate([split[i] for split in splits]) for i in (0, 1))
    (z_mean,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean")
    untrained, trained = build_model(train_settings, seed), load_checkpoint(Path("models/vae"))
    untrained.compile(keras.optimizers.Adam(train_settings.learning_rate))
    batch_size, embed_batch_size = train_settings.batch_size, load_settings(Embed)[0].batch_size
    perplexity = load_settings(Visualize)[0].perplexity
    return {
        "training, an epoch": (
            len(train_images),
            lambda n: untrained.fit(
                shuffled_batches(train_images[:n], batch_size, seed, range(1)),
                shuffle=False,
                steps_per_epoch=math.ceil(n / batch_size),
                verbose=0,
            ),
        ),
        "embedding": (len(images), lambda n: embed(trained, images[:n], labels[:n], embed_batch_size)),
        "t-SNE of latents": (len(z_mean), lambda n: tsne(z_mean[:n], perplexity=perplexity, seed=seed, title="t-SNE")),
    }


def measure(rounds: int = 2) -> dict[str, Any]:
    """Does each at each size, in turn; prints, draws and returns the times and the exponents."""
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
    """The slope of log(seconds) over log(images), the index, by least squares."""
    return float(np.polyfit(np.log(seconds.index.to_numpy(float)), np.log(seconds.to_numpy()), 1)[0])


def draw(seconds: pd.Series, exponents: dict[str, float]) -> Figure:
    """Seconds against images, both axes logarithmic, with the exponents in the legend."""
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
