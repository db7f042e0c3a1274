"""A contender: training steps of the VAE in Keras, or matrix products for the floor.

`turns.Contender` describes the protocol.

Usage: python -m benchmarks.keras_worker {plain,fused,matmul} PRECISION BATCH_SIZE HEIGHT WIDTH CHANNELS LATENT_DIM
"""

import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import tensorflow as tf

from benchmarks import plain_layers
from vae.model.vae import VAE
from vae.training.batches import shuffled_batches

MATMUL_SIZE = 2048


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


def training(model: VAE, batch_size: int) -> Callable[[int], float]:
    """Return a function that takes a number of training steps by `fit`, as the stage `train` does, and times them.

    Args:
        model: a compiled model.
        batch_size: the number of images in a step. They are noise of the model's image shape.
    """
    first = model.steps_per_execution
    images = np.random.default_rng(0).random(((first + 100) * batch_size, *model.image_shape), "float32")

    def run(steps: int) -> float:
        stopwatch = Stopwatch()
        data = shuffled_batches(images[: (first + steps) * batch_size], batch_size, 0, range(1))
        model.fit(data, shuffle=False, steps_per_epoch=first + steps, callbacks=[stopwatch], verbose=0)
        return stopwatch.seconds

    return run


def matmul(precision: str) -> Callable[[int], float]:
    """Return a function that multiplies two large square matrices a number of times, and times that."""
    a = tf.cast(tf.random.normal((MATMUL_SIZE, MATMUL_SIZE)), precision.removeprefix("mixed_"))
    product = tf.function(lambda: tf.matmul(a, a))

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
        run = matmul(precision)
    else:
        build = plain_vae if layers == "plain" else VAE
        model = build((height, width, channels), latent_dim, precision=precision)
        model.compile(keras.optimizers.Adam())
        run = training(model, batch_size)
    answer(run)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
