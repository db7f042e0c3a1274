"""The speed of the importance-weighted bound: against its decoder by itself, and against a large matrix product."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import trange

from benchmarks.keras_worker import MATMUL_SIZE
from benchmarks.machine import has_bfloat16
from benchmarks.multiply_adds import of_model
from vae.evaluation.likelihood_bounds import bounds
from vae.model.vae import VAE

IMAGES, BATCH_SIZE = 1000, 500
SAMPLES, SAMPLES_BEFORE = 32, 4
"""The samples of z that are timed, and those that come before them.

The bound is computed with `SAMPLES_BEFORE`, and with both. The difference is the time of `SAMPLES`: it leaves out the
encoder and the tracing of the graph, which 500 or 5,000 samples hide.
"""
ARCHITECTURES = ("tutorial", "resnet", "mlp")
PRECISIONS = {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16}


def measure(rounds: int = 8) -> dict[str, Any]:
    """Time the bound, its decoder and a matrix product in turn, for each architecture; print and return the results.

    Returns:
        For each architecture and precision, medians over the rounds: `decodings` per second of the bound;
        `of_decoder`, its speed as a share of the decoder's own speed on the same batches; `of_peak`, the decoder's
        multiply-adds per second in the bound as a share of the multiply-adds per second of a large matrix product.
    """
    results: dict[str, Any] = {}
    for precision in PRECISIONS if has_bfloat16() else ["float32"]:
        for architecture in ARCHITECTURES:
            model = VAE((28, 28, 1), 10, architecture=architecture, precision=precision, seed=0)
            seconds = pd.DataFrame(_rounds(model, precision, rounds))
            decodings, products = IMAGES * SAMPLES, of_model(model.decoder, BATCH_SIZE)
            peak = MATMUL_SIZE**3 / seconds["matmul"]
            results[f"{architecture}, {precision}"] = {
                "decodings": float((decodings / seconds["bound"]).median()),
                "of_decoder": float((seconds["decoder"] / seconds["bound"]).median()),
                "of_peak": float((decodings * products / seconds["bound"] / peak).median()),
            }
    print(pd.DataFrame(results).T.to_string(float_format="{:.3f}".format), flush=True)
    return {"rounds": rounds, "samples": SAMPLES, "architectures": results}


def _rounds(model: VAE, precision: str, rounds: int) -> list[dict[str, float]]:
    """Return the seconds of each contender in each round, after a round that compiles them."""
    images = np.random.default_rng(0).random((IMAGES, *model.image_shape), dtype=np.float32)
    z = tf.random.stateless_normal((BATCH_SIZE, model.latent_dim), seed=(0, 0))
    matrix = tf.cast(tf.random.stateless_normal((MATMUL_SIZE, MATMUL_SIZE), seed=(0, 0)), PRECISIONS[precision])
    decoder = tf.function(model.decoder, autograph=False)

    def bound(samples: int) -> float:
        return _seconds(lambda: bounds(model, images, samples=samples, batch_size=BATCH_SIZE, seed=0))

    def decode() -> None:
        for _ in range(IMAGES * SAMPLES // BATCH_SIZE):
            decoder(z)

    contenders: dict[str, Callable[[], float]] = {
        "bound": lambda: bound(SAMPLES_BEFORE + SAMPLES) - bound(SAMPLES_BEFORE),
        "decoder": lambda: _seconds(decode),
        "matmul": lambda: _seconds(lambda: tf.matmul(matrix, matrix).numpy()),
    }
    rows = []
    for _ in trange(rounds + 1, desc=f"{model.get_config()['architecture']}, {precision}", disable=None):
        rows.append({name: contender() for name, contender in contenders.items()})
    return rows[1:]


def _seconds(contender: Callable[[], Any]) -> float:
    start = perf_counter()
    contender()
    return perf_counter() - start
