"""The training step on a GPU, if TensorFlow can use one here: images a second, and the share of the peak.

The peak is the speed of a large matrix product on the same GPU in the same round and precision. The share is what the
multiply-adds of the step would take at that speed, of what the step takes.
"""

import sys
from typing import Any

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import pandas as pd
import tensorflow as tf

from benchmarks.keras_worker import GPU_MATMUL_SIZE
from benchmarks.prepared import model_size
from benchmarks.step import KERAS_PRECISION, multiply_adds
from benchmarks.turns import Contender, in_turn
from vae.model.runtime import device
from vae.model.vae import VAE

BATCH_SIZES = (128, 1024)


def contenders(image_shape: tuple[int, int, int], latent_dim: int) -> list[Contender]:
    """Return the step of each precision and batch size, and the matrix product of each precision."""

    def worker(layers: str, precision: str, batch_size: int) -> Contender:
        size = [str(number) for number in (batch_size, *image_shape, latent_dim)]
        command = [sys.executable, "-m", "benchmarks.keras_worker", layers, KERAS_PRECISION[precision], *size]
        return Contender(f"{layers}, {precision}, {batch_size}", command)

    return [
        worker(layers, precision, batch_size)
        for precision in KERAS_PRECISION
        for layers, sizes in (("fused", BATCH_SIZES), ("matmul", (1,)))
        for batch_size in sizes
    ]


def compare(seconds: pd.DataFrame, image_flop: dict[int, float]) -> dict[str, Any]:
    """Return the images a second and the share of the peak for each precision and batch size, as medians of the rounds.

    Args:
        seconds: per step or product; one row per round, one column per contender.
        image_flop: the floating-point operations of one image in a step, by batch size.
    """
    result: dict[str, Any] = {}
    for precision in KERAS_PRECISION:
        peak = 2 * GPU_MATMUL_SIZE**3 / seconds[f"matmul, {precision}, 1"]
        result[precision] = {"matmul_gflops": peak.median() / 1e9}
        for batch_size in BATCH_SIZES:
            images = batch_size / seconds[f"fused, {precision}, {batch_size}"]
            result[precision][str(batch_size)] = {
                "images_per_second": images.median(),
                "share_of_peak": (images * image_flop[batch_size] / peak).median(),
            }
    return result


def measure(rounds: int = 16) -> dict[str, Any] | None:
    """Time the step on the GPU and print its rows. Without a GPU, print that and return None."""
    if not tf.config.list_physical_devices("GPU"):
        print(f"left out: the step on a GPU; TensorFlow computes on {device()}", flush=True)
        return None
    image_shape, latent_dim = model_size()
    seconds = in_turn(contenders(image_shape, latent_dim), rounds)
    model = VAE(image_shape, latent_dim)
    results = compare(seconds, {size: 2 * multiply_adds(model, size) for size in BATCH_SIZES})
    for precision, part in results.items():
        for batch_size in map(str, BATCH_SIZES):
            row = part[batch_size]
            share = f"{row['share_of_peak']:.0%} of the matrix product's {part['matmul_gflops']:,.0f} GFLOP/s"
            print(f"{precision}, batches of {batch_size}: {row['images_per_second']:,.0f} images a second, {share}")
    return {"device": device(), "rounds": rounds, **results}
