"""A contender: training steps of the VAE in Keras, or matrix products for the floor.

`turns.Contender` describes the protocol.

Usage: python -m benchmarks.keras_worker LAYERS PRECISION BATCH_SIZE HEIGHT WIDTH CHANNELS LATENT_DIM

LAYERS is `plain`, `fused`, `stored` (as `fused`, with the images on disk) or `matmul`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks import plain_layers
from vae.data.shards import Images, normalize, save_split
from vae.data.splits import load_split
from vae.model.vae import VAE
from vae.training.batches import shuffled_batches

MATMUL_SIZE, GPU_MATMUL_SIZE = 2048, 8192
MOST_STEPS = 100
"""The steps that there are images for."""


def plain_vae(image_shape: tuple[int, int, int], latent_dim: int, **settings: Any) -> VAE:
    """Return the model in plain Keras layers: the same function of the same weights."""
    with mock.patch("vae.model.vae.ARCHITECTURES", {"plain": plain_layers}):
        return VAE(image_shape, latent_dim, architecture="plain", **settings)


class Stopwatch(keras.callbacks.Callback):
    """The seconds of an epoch after its first execution, which waits for `fit` to set up the input."""

    started: float | None = None
    seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.perf_counter()
        self.started = self.started or now
        self.seconds = now - self.started


def training(model: VAE, batch_size: int, folder: Path | None = None) -> Callable[[int], float]:
    """Return a function that takes a number of training steps by `fit`, as the stage `train` does, and times them.

    Args:
        model: a compiled model.
        batch_size: the number of images in a step. They are noise of the model's image shape.
        folder: where to store the images. The steps then read them from the disk, not from the system's memory of it.
            None keeps them in memory.
    """
    first = model.steps_per_execution
    shape = ((first + MOST_STEPS) * batch_size, *model.image_shape)
    levels = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    images = stored(levels, folder) if folder else normalize(levels)

    def run(steps: int) -> float:
        if steps > MOST_STEPS:
            raise ValueError(f"there are images for {MOST_STEPS} steps, not for {steps}")
        stopwatch = Stopwatch()
        if folder:
            forget(folder)
        data = shuffled_batches(images, batch_size, 0, range(1))
        model.fit(data, shuffle=False, steps_per_epoch=first + steps, callbacks=[stopwatch], verbose=0)
        return stopwatch.seconds

    return run


def stored(levels: NDArray[np.uint8], folder: Path) -> Images:
    """Write images as the shards of a large split, and return what `train` would read from them."""
    with mock.patch("vae.data.shards.MAX_BYTES", levels.nbytes):  # as if they were too many for the memory
        save_split(folder / "noise.npz", levels, None, np.array([], np.str_))
    return load_split(folder / "noise.npz").images


def forget(folder: Path) -> None:
    """Ask the system to drop its copies of the files in memory."""
    for path in folder.rglob("*.npz"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def matmul(precision: str) -> Callable[[int], float]:
    """Return a function that multiplies two large square matrices a number of times, and times that."""
    size = GPU_MATMUL_SIZE if tf.config.list_physical_devices("GPU") else MATMUL_SIZE
    a = tf.cast(tf.random.stateless_normal((size, size), seed=(0, 0)), precision.removeprefix("mixed_"))
    product = tf.function(lambda: tf.matmul(a, a)[0, 0])  # a number waits for a GPU, and takes no time to copy

    def run(steps: int) -> float:
        product().numpy()
        started = time.perf_counter()
        for _ in range(steps):
            product().numpy()
        return time.perf_counter() - started

    return run


def answer(run: Callable[[int], float]) -> None:
    """Take as many steps as each line of standard input says, and print the seconds."""
    for line in sys.stdin:
        print(run(int(line)), flush=True)


def main(layers: str, precision: str, batch_size: int, height: int, width: int, channels: int, latent_dim: int) -> None:
    if layers == "matmul":
        answer(matmul(precision))
        return
    build = plain_vae if layers == "plain" else VAE
    model = build((height, width, channels), latent_dim, precision=precision)
    model.compile(keras.optimizers.Adam())
    with tempfile.TemporaryDirectory(dir=".dvc/tmp") as folder:  # the system's temporary folder may be in memory
        answer(training(model, batch_size, Path(folder) if layers == "stored" else None))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
