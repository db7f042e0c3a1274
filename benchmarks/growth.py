"""What a million images cost: the seconds, the memory and the disk of each stage, at a quarter of a million and at one.

The difference between the two is what each further image costs. The images are MNIST's, repeated. This process stays
small, without TensorFlow, because the system counts the memory of the starting process in a stage's peak.
"""

import json
import multiprocessing
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.memory import QUICK
from benchmarks.prepared import prepared, raw_images
from benchmarks.stages import read_stages, run
from vae.data.splits import SPLITS
from vae.evaluation.posterior import mutual_information

SIZES = (250_000, 1_000_000)
"""Both are more than a prepared file holds, so that all stages read from shards, and more than the probes use."""
HELD_OUT = 10_000
"""The test images, as many as MNIST has, and the validation images."""
PAIRED = 20_000
"""The images for whose mutual information all pairs are timed."""


def measure(sizes: tuple[int, int] = SIZES) -> dict[str, Any]:
    """Run each stage at both sizes, in a temporary folder; print and return what each took.

    Training and the classifier take one epoch, whose images the results count. Other settings are the default ones,
    except that the test and the validation images are `HELD_OUT` each, whatever the size.

    Returns:
        `stages`: by size and stage, the `seconds`, the `peak_mib` and the `bytes` that it wrote. `parameters`: the
        number of weights, each of which has a gradient of four bytes. `pairs_per_second` of the mutual information,
        which `evaluate` sums over all pairs of test images.
    """
    stages = {}
    for images in sizes:
        with tempfile.TemporaryDirectory(dir=".dvc/tmp") as place:  # the system's temporary folder may be in memory
            stages[str(images)] = run_all(Path(place), images)
            parameters = parameters_in(Path(place))
    for size, rows in stages.items():
        print(f"{size} images", pd.DataFrame(rows).T.to_string(float_format="{:.1f}".format), sep="\n", flush=True)
    results = {"stages": stages, "held_out": HELD_OUT, "parameters": parameters, "pairs_per_second": pairs_per_second()}
    print(f"{parameters} parameters, {results['pairs_per_second']:.3g} pairs per second", flush=True)
    return results


def run_all(folder: Path, images: int) -> dict[str, dict[str, float]]:
    """Run each stage on so many images; return its seconds, its peak memory and the bytes that it added on disk."""
    # In another process, since the peak of this one counts in those of the stages.
    writing = multiprocessing.get_context("fork").Process(target=write_images, args=(folder / "images.npz", images))
    writing.start()
    writing.join()
    if writing.exitcode:
        raise ChildProcessError(f"the images could not be written: status {writing.exitcode}")
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    held_out = {"dataset": "images.npz", "test_size": HELD_OUT, "validation_size": HELD_OUT}
    for section, changes in {**QUICK, "prepare": held_out, "evaluate": {}}.items():
        params[section] |= changes
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    rows = {}
    for name in read_stages(Path()):
        before = size_of(folder)
        row = run([sys.executable, str(Path(f"src/{name}.py").resolve())], folder)
        rows[name] = row | {"bytes": float(size_of(folder) - before)}
    return rows


def write_images(path: Path, count: int) -> None:
    """Write that many images, MNIST's in their order, again and again, with their labels."""
    labels = np.concatenate([prepared(name).known_labels for name in SPLITS])
    raw, places = raw_images(), np.arange(count) % len(labels)
    np.savez(path, images=raw[places], labels=labels[places])


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def parameters_in(folder: Path) -> int:
    """Return the number of weights of the model that was trained there."""
    command = [str(Path(sys.executable).with_name("vae")), "info", "--json"]
    printed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return int(json.loads(printed)["parameters"])


def pairs_per_second() -> float:
    """Return how many pairs of images the mutual information sums over in a second."""
    rng = np.random.default_rng(0)
    z_mean, z_log_var = (rng.standard_normal((PAIRED, 10)).astype(np.float32) for _ in range(2))
    started = perf_counter()
    mutual_information(z_mean, z_log_var, seed=0)
    return PAIRED**2 / (perf_counter() - started)
