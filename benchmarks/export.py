"""Exported models against Keras: images encoded and decoded per second, by ONNX Runtime, LiteRT and Keras."""

import importlib.metadata
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

import vae
from benchmarks.export_worker import PARTS, first_labels, some_images
from benchmarks.turns import Contender, in_turn
from vae.exporting.export import export

RUNTIMES = {"keras": "Keras", "onnx": "ONNX Runtime", "litert": "LiteRT"}
"""The contenders; all but Keras are formats of an export."""
BATCH_SIZES = (1, 500)


def contenders(model: Path, folder: Path, batch_size: int) -> list[Contender]:
    """Return a contender for each runtime and each part.

    Args:
        model: the trained model.
        folder: the folder that contains an export in each format.
        batch_size: the number of images that are computed at once.
    """
    worker = [sys.executable, "-m", "benchmarks.export_worker"]
    return [
        Contender(f"{part} {name}", [*worker, runtime, part, str(batch_size), str(model), str(folder)])
        for part in PARTS
        for runtime, name in RUNTIMES.items()
    ]


def compare(seconds: pd.DataFrame, batch_size: int) -> dict[str, Any]:
    """Return the median of each runtime's images per second, and how many times faster than Keras it is.

    Args:
        seconds: per batch; one row per round, one column per contender.
        batch_size: the number of images in a batch.

    Returns:
        For each part and runtime that ran, `images_per_second`, `vs_keras`, the median ratio of times of the same
        round, and its `vs_keras_quartiles`.
    """
    results: dict[str, Any] = {}
    for part in PARTS:
        for name in RUNTIMES.values():
            if f"{part} {name}" not in seconds:
                continue
            own = seconds[f"{part} {name}"]
            ratio = seconds[f"{part} {RUNTIMES['keras']}"] / own
            results.setdefault(part, {})[name] = {
                "images_per_second": batch_size / own.median(),
                "vs_keras": ratio.median(),
                "vs_keras_quartiles": ratio.quantile([0.25, 0.75]).tolist(),
            }
    return results


def measure(rounds: int = 12, path: Path = Path("models/vae.keras")) -> dict[str, Any]:
    """Export the trained model, time the contenders in turn, and print and return the results of each batch size."""
    model = vae.load(path)
    images = some_images(model, max(BATCH_SIZES))
    results: dict[str, Any] = {"rounds": rounds, "differences": {}, "batch_sizes": {}}
    results["packages"] = {name: importlib.metadata.version(name) for name in ("onnxruntime", "ai-edge-litert")}
    with tempfile.TemporaryDirectory() as temporary:
        for runtime in list(RUNTIMES)[1:]:
            report = export(model, Path(temporary, runtime), runtime, images, first_labels(model, len(images)))
            results["differences"][RUNTIMES[runtime]] = report.differences
        for batch_size in BATCH_SIZES:
            seconds = in_turn(contenders(path, Path(temporary), batch_size), rounds)
            results["batch_sizes"][str(batch_size)] = compared = compare(seconds, batch_size)
            rows = {(part, name): row for part, names in compared.items() for name, row in names.items()}
            print(f"images per second, {batch_size} at once, {rounds} rounds", flush=True)
            print(pd.DataFrame(rows).T.to_string(), flush=True)
    return results
