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

from vae.nn.batches import shuffled_batches
from vae.nn.model import VAE
from vae.splits import IMAGE_SHAPE

MATMUL_SIZE = 2048


def encoder_of_the_post(latent_dim: int, dropout: float, seed: int, precision: str) -> keras.Model:
    """The encoder with the whole image convolved, and each ReLU in its convolution, before the pooling."""
    images = h = keras.Input(IMAGE_SHAPE)
    for filters in (32, 64):
        h = keras.layers.Conv2D(filters, 3, activation="relu", dtype=precision)(h)
        h = keras.layers.MaxPooling2D(2, dtype=precision)(h)
    h = keras.layers.Flatten(dtype=precision)(h)
    h = keras.layers.Dropout(dropout, seed=seed, dtype=precision)(h)
    heads = [keras.layers.Dense(latent_dim, dtype="float32")(h) for _ in ("z_mean", "z_log_var")]
    return keras.Model(images, heads, name="encoder")


def decoder_of_the_post(latent_dim: int, precision: str) -> keras.Model:
    """The decoder in plain Keras layers; to logits, as they are more exact and the loss of both is one function."""
    z = keras.Input((latent_dim,))
    h = keras.layers.Dense(5 * 5 * 64, dtype=precision)(z)
    h = keras.layers.Reshape((5, 5, 64), dtype=precision)(h)
    for filters in (64, 32):
        h = keras.layers.UpSampling2D(2, dtype=precision)(h)
        h = keras.layers.Conv2DTranspose(filters, 3, activation="relu", dtype=precision)(h)
    h = keras.layers.Conv2DTranspose(1, 3, dtype=precision)(h)
    return keras.Model(z, keras.layers.Identity(dtype="float32")(h), name="decoder")


def plain_vae(**settings: object) -> VAE:
    """The model in the post's plain Keras layers: same weights, same function."""
    with mock.patch.multiple("vae.nn.model", build_encoder=encoder_of_the_post, build_decoder=decoder_of_the_post):
        return VAE(**settings)  # type: ignore[arg-type]


class Stopwatch(keras.callbacks.Callback):
    """The seconds of an epoch after its first execution, which waits for `fit` to set up the input."""

    started: float | None = None
    seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.perf_counter()
        self.started = self.started or now
        self.seconds = now - self.started


def training(model: VAE, batch_size: int) -> Callable[[int], float]:
    """Runs a number of training steps of a compiled model by `fit`, as the stage `train` does; returns the seconds."""
    first = model.steps_per_execution
    images = np.random.default_rng(0).random(((first + 100) * batch_size, *IMAGE_SHAPE), "float32")

    def run(steps: int) -> float:
        stopwatch = Stopwatch()
        data = shuffled_batches(images[: (first + steps) * batch_size], batch_size, 0, range(1))
        model.fit(data, shuffle=False, steps_per_epoch=first + steps, callbacks=[stopwatch], verbose=0)
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
