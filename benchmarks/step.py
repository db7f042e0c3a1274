"""The training step of 128 images: this model against the post's plain Keras layers, PyTorch, and the floor.

The floor is the time of the multiply-adds that the step needs at the speed of a large matmul in the same round. Both
are timed in float32, and in bfloat16 where the processor has instructions for it: emulated, it takes ten times as long.
"""

import math
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import pandas as pd
from keras import KerasTensor, layers

from benchmarks.keras_worker import MATMUL_SIZE
from benchmarks.machine import facts, has_bfloat16
from benchmarks.turns import Contender, in_turn
from vae.nn.layers import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose
from vae.nn.model import VAE

BATCH_SIZE = 128
KERAS_PRECISION = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def contenders(torch_python: Path, precisions: Iterable[str] = tuple(KERAS_PRECISION)) -> list[Contender]:
    """All of them; `torch_python` is the interpreter of the environment that has PyTorch."""

    def keras(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "benchmarks.keras_worker", *arguments, str(BATCH_SIZE)]

    def torch(*arguments: str) -> list[str]:
        return [str(torch_python), "benchmarks/torch_worker.py", *arguments, str(BATCH_SIZE)]

    return [
        *(Contender(f"plain Keras, {p}", keras("plain", KERAS_PRECISION[p])) for p in precisions),
        *(Contender(f"this model, {p}", keras("fused", KERAS_PRECISION[p])) for p in precisions),
        *(
            Contender(f"PyTorch {mode}, {layout}, {p}", torch(p, layout, mode))
            for p in precisions
            for mode, layout in (("eager", "contiguous"), ("eager", "channels_last"), ("compiled", "channels_last"))
        ),
        *(Contender(f"matmul, {p}", keras("matmul", KERAS_PRECISION[p])) for p in precisions),
    ]


def multiply_adds(model: VAE, batch_size: int) -> float:
    """Of one training step for one image: forward, and as many again for each of the two gradients.

    The gradient with respect to the images is not needed. Biases, activations, pooling and the loss are left out.
    """
    forward = {
        layer.name: _of_layer(layer, batch_size) for part in (model.encoder, model.decoder) for layer in part.layers
    }
    return 3 * sum(forward.values()) - forward["conv_1"]


def _of_layer(layer: layers.Layer, batch_size: int) -> float:
    if isinstance(layer, AffineMap):  # the network at some points for the whole batch, then a product for each image
        points = layer.input.shape[-1] + 1
        of_network = sum(_of_layer(part, batch_size) for part in layer.network.layers)
        return float(points * (of_network / batch_size + math.prod(layer.output.shape[1:])))
    if not layer.weights:
        return 0
    kernel: int = math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return kernel
    if isinstance(layer, UpsampledConv2DTranspose):  # four 2x2 kernels for the one 3x3 kernel: see its docstring
        return kernel * 16 / 9 * _pixels(layer.input)
    if isinstance(layer, PackedConv2DTranspose):  # without its zeros
        return kernel * 4 * _pixels(layer.input)
    return kernel * _pixels(layer.output)


def _pixels(images: KerasTensor) -> int:
    return math.prod(images.shape[1:-1])


def compare(seconds: pd.DataFrame) -> dict[str, Any]:
    """Ratios, each within a round: medians and quartiles.

    Args:
        seconds: per step; one row a round, one column a contender.

    Returns:
        For each precision that was timed, `vs_plain_keras` and `vs_pytorch`, how many times faster this model's step is
        than that of the plain layers in float32, as the post has them, and than PyTorch's quickest at equal precision;
        `vs_plain_keras_at_equal_precision`; `vs_floor`, the floor's share of the step. Each also with its `_quartiles`.
    """
    floor_flop = 2 * multiply_adds(VAE(), BATCH_SIZE) * BATCH_SIZE
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
            "vs_floor": floor_flop / rate / ours,
        }
        if torch:
            quickest = str(seconds[torch].median().idxmin())
            ratios["vs_pytorch"] = seconds[quickest] / ours
        result[precision] = {"milliseconds": 1e3 * ours.median(), "matmul_gflops": rate.median() / 1e9}
        for name, ratio in ratios.items():
            result[precision] |= {name: ratio.median(), f"{name}_quartiles": ratio.quantile([0.25, 0.75]).tolist()}
    return result


def measure(torch_python: Path, rounds: int = 16) -> dict[str, Any]:
    """Runs the contenders, prints their table; returns the figures of each precision that was timed."""
    precisions = list(KERAS_PRECISION) if has_bfloat16() else ["float32"]
    if not has_bfloat16():
        print("left out: bfloat16, for which this processor has no instructions", flush=True)
    seconds = in_turn(contenders(torch_python, precisions), rounds)
    table = 1e3 * seconds.agg(["median", "min", "max"]).T
    print(f"milliseconds per step of {BATCH_SIZE} images (a matmul: of two {MATMUL_SIZE}² matrices), {rounds} rounds")
    print(table.to_string(float_format="{:.1f}".format), flush=True)
    result = compare(seconds)
    for precision, figures in result.items():
        line = [
            "{} {:.2f} ({:.2f}–{:.2f})".format(name, figures[name], *figures[f"{name}_quartiles"])
            for name in ("vs_plain_keras", "vs_plain_keras_at_equal_precision", "vs_pytorch", "vs_floor")
            if name in figures
        ]
        print(f"{precision}: {', '.join(line)}", flush=True)
        figures["contenders"] = table.filter(like=precision, axis="index").to_dict("index")
        figures |= {
            "batch_size": BATCH_SIZE,
            "rounds": rounds,
            "machine": facts() | {"torch": torch_version(torch_python)},
        }
    return result


def torch_version(python: Path) -> str | None:
    """Of the PyTorch in the environment of that interpreter; None if there is none."""
    code = "import importlib.metadata; print(importlib.metadata.version('torch'))"
    return subprocess.run([python, "-c", code], check=False, capture_output=True, text=True).stdout.strip() or None  # noqa: S603
