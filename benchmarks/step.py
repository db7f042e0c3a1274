"""The training step of 128 images: this model against plain Keras layers, PyTorch, and the floor.

The floor is the time that the multiply-adds of the step take at the speed of a large matrix product in the same round.
Both are timed in float32. They are timed in bfloat16 too if the processor has instructions for it: without them,
bfloat16 takes ten times as long.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import pandas as pd

from benchmarks.keras_worker import MATMUL_SIZE
from benchmarks.machine import facts, has_bfloat16
from benchmarks.multiply_adds import of_layer, of_model
from benchmarks.prepared import model_size
from benchmarks.turns import Contender, in_turn
from vae.model.vae import VAE

BATCH_SIZE = 128
KERAS_PRECISION = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
RATIOS = ("vs_plain_keras", "vs_plain_keras_at_equal_precision", "vs_pytorch", "vs_floor")


def contenders(
    torch_python: Path, image_shape: tuple[int, int, int], latent_dim: int, precisions: Iterable[str]
) -> list[Contender]:
    """Return all contenders.

    Args:
        torch_python: the Python interpreter of the environment with PyTorch.
        image_shape: (height, width, channels).
        latent_dim: the number of latent dimensions.
        precisions: keys of `KERAS_PRECISION`.
    """
    size = [str(number) for number in (BATCH_SIZE, *image_shape, latent_dim)]

    def keras(layers: str, precision: str) -> list[str]:
        command = [sys.executable, "-m", "benchmarks.keras_worker", layers, KERAS_PRECISION[precision], *size]
        return ["env", "CUDA_VISIBLE_DEVICES=-1", *command]  # `benchmarks.gpu` times a GPU

    def torch(*arguments: str) -> list[str]:
        return [str(torch_python), "benchmarks/torch_worker.py", *arguments, *size]

    return [
        *(Contender(f"plain Keras, {p}", keras("plain", p)) for p in precisions),
        *(Contender(f"this model, {p}", keras("fused", p)) for p in precisions),
        *(
            Contender(f"PyTorch {mode}, {layout}, {p}", torch(p, layout, mode))
            for p in precisions
            for mode, layout in (("eager", "contiguous"), ("eager", "channels_last"), ("compiled", "channels_last"))
        ),
        *(Contender(f"matmul, {p}", keras("matmul", p)) for p in precisions),
    ]


def multiply_adds(model: VAE, batch_size: int) -> float:
    """Return the multiply-adds of one training step for one image: forward, and as many for each of the two gradients.

    The gradient with respect to the images is not needed. Biases, activations, pooling and the loss are left out.
    """
    forward = sum(of_model(part, batch_size) for part in (model.encoder, model.decoder))
    return 3 * forward - of_layer(model.encoder.get_layer("conv_1"), batch_size)


def compare(seconds: pd.DataFrame, step_flop: float) -> dict[str, Any]:
    """Return ratios of times of the same round: their medians and quartiles.

    Args:
        seconds: per step; one row per round, one column per contender.
        step_flop: the floating-point operations of one step.

    Returns:
        For each precision that was timed, the `milliseconds` of this model's step, the `matmul_gflops`, and ratios:
        `vs_plain_keras`, how many times faster this model's step is than the step of the plain layers in float32, which
        the tutorial uses; `vs_plain_keras_at_equal_precision`; `vs_pytorch`, how many times faster it is than the
        fastest PyTorch at equal precision, if any ran; `vs_floor`, the floor's share of the step. Each ratio also has
        its `_quartiles`.
    """
    result: dict[str, Any] = {}
    for precision in KERAS_PRECISION:
        if f"this model, {precision}" not in seconds:
            continue
        ours = seconds[f"this model, {precision}"]
        rate = 2 * MATMUL_SIZE**3 / seconds[f"matmul, {precision}"]
        torch = [name for name in map(str, seconds) if name.startswith("PyTorch") and name.endswith(precision)]
        ratios = {
            "vs_plain_keras": seconds["plain Keras, float32"] / ours,
            "vs_plain_keras_at_equal_precision": seconds[f"plain Keras, {precision}"] / ours,
            "vs_floor": step_flop / rate / ours,
        }
        if torch:
            fastest = str(seconds[torch].median().idxmin())
            ratios["vs_pytorch"] = seconds[fastest] / ours
        result[precision] = {"milliseconds": 1e3 * ours.median(), "matmul_gflops": rate.median() / 1e9}
        for name, ratio in ratios.items():
            result[precision] |= {name: ratio.median(), f"{name}_quartiles": ratio.quantile([0.25, 0.75]).tolist()}
    return result


def measure(torch_python: Path, rounds: int = 16) -> dict[str, Any]:
    """Time the contenders and print their table; return the results of each precision that was timed."""
    precisions = list(KERAS_PRECISION) if has_bfloat16() else ["float32"]
    if not has_bfloat16():
        print("left out: bfloat16, for which this processor has no instructions", flush=True)
    image_shape, latent_dim = model_size()
    seconds = in_turn(contenders(torch_python, image_shape, latent_dim, precisions), rounds)
    table = 1e3 * seconds.agg(["median", "min", "max"]).T
    print(f"milliseconds per step of {BATCH_SIZE} images (matmul: of two {MATMUL_SIZE}² matrices), {rounds} rounds")
    print(table.to_string(float_format="{:.1f}".format), flush=True)
    results = compare(seconds, 2 * multiply_adds(VAE(image_shape, latent_dim), BATCH_SIZE) * BATCH_SIZE)
    for precision, part in results.items():
        line = [
            "{} {:.2f} ({:.2f}–{:.2f})".format(name, part[name], *part[f"{name}_quartiles"])
            for name in RATIOS
            if name in part
        ]
        print(f"{precision}: {', '.join(line)}", flush=True)
        part["contenders"] = table.filter(like=precision, axis="index").to_dict("index")
        part |= {
            "batch_size": BATCH_SIZE,
            "rounds": rounds,
            "machine": facts() | {"torch": torch_version(torch_python)},
        }
    return results


def torch_version(python: Path) -> str | None:
    """Return the version of PyTorch in the environment of that interpreter, or None without PyTorch."""
    code = "import importlib.metadata; print(importlib.metadata.version('torch'))"
    return subprocess.run([python, "-c", code], check=False, capture_output=True, text=True).stdout.strip() or None  # noqa: S603
