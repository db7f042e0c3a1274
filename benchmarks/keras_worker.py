"""A contender: training steps of the VAE by Keras, or matmuls for the floor. See `turns.Contender` for the protocol.

Usage: python -m benchmarks.keras_worker {plain,fused,matmul} PRECISION BATCH_SIZE
"""

import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras
import numpy as np
import tensorflow as tf

from vae.nn.model import IMAGE_SHAPE, VAE

MATMUL_SIZE = 2048


def upsampling_then_deconvolution(filters: int, activation: str, dtype: str, name: str) -> keras.Sequential:
    """The pair of the post's layers that `UpsampledConv2DTranspose` stands for."""
    pair = [
        keras.layers.UpSampling2D(2, dtype=dtype),
        keras.layers.Conv2DTranspose(filters, 3, activation=activation, dtype=dtype),
    ]
    return keras.Sequential(pair, name=name)


def plain_vae(**settings: object) -> VAE:
    """The model in the post's plain Keras layers: same weights, same function."""
    with mock.patch("vae.nn.model.UpsampledConv2DTranspose", upsampling_then_deconvolution):
        return VAE(**settings)  # type: ignore[arg-type]


class Stopwatch(keras.callbacks.Callback):
    """The seconds of all batches of an epoch but the first, which waits for `fit` to set up the input."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 0:
            self.started = time.perf_counter()
        self.seconds = time.perf_counter() - self.started


def training(model: VAE, batch_size: int) -> Callable[[int], float]:
    """Runs a number of training steps of a compiled model by `fit`, as the stage `train` does; returns the seconds."""
    images = np.random.default_rng(0).random((101 * batch_size, *IMAGE_SHAPE), "float32")

    def run(steps: int) -> float:
        stopwatch = Stopwatch()
        model.fit(images[: (1 + steps) * batch_size], batch_size=batch_size, callbacks=[stopwatch], verbose=0)
        return stopwatch.seconds

    return run


def matmul(precision: str) -> Callable[[int], float]:
    """Multiplies two large square matrices, a number of times; returns the seconds."""
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
    """Runs as many steps as each line of standard input says, and prints the seconds."""
    for line in sys.stdin:
        print(run(int(line)), flush=True)


def main(layers: str, precision: str, batch_size: int) -> None:
    if layers == "matmul":
        run = matmul(precision)
    else:
        model = plain_vae(precision=precision) if layers == "plain" else VAE(precision=precision)
        model.compile(keras.optimizers.Adam())
        run = training(model, batch_size)
    answer(run)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
