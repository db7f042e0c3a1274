"""Images larger than the memory: training from disk against training from memory, and the peak memory of each stage."""

import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from tqdm import trange

from benchmarks.stages import read_stages, run
from benchmarks.turns import Contender, in_turn

IMAGES, SIDE, CLASSES = 200_000, 64, 10
"""The data of the memory's measurement: that many colour images of SIDE x SIDE pixels, 2.5 GB."""
BATCH_SIZE, LATENT_DIM = 80, 10
CHUNK = 1000
SECONDS_A_TURN = 8.0
QUICK = {"train": {"epochs": 1}, "evaluate": {"samples": 1}, "classify": {"epochs": 1}}
"""What takes time, but no memory."""


def measure(rounds: int = 12, images: int = IMAGES) -> dict[str, Any]:
    """Time the training step with images in memory and on disk, in turn; then run all stages on many images.

    Returns:
        `from_disk`: the training throughput from disk as a share of the throughput from memory, median and quartiles
        over the rounds; `peaks`: the seconds and the peak memory in MiB of each stage.
    """
    print(
        f"seconds per step of {BATCH_SIZE} images of {SIDE}x{SIDE}x3, in memory and on disk, {rounds} rounds",
        flush=True,
    )
    seconds = in_turn(contenders(), rounds, SECONDS_A_TURN)
    print(seconds.describe().to_string(float_format="{:.4f}".format), flush=True)
    share = seconds["memory"] / seconds["disk"]
    quartiles = [float(share.quantile(q)) for q in (0.25, 0.75)]
    print(f"throughput from disk: {share.median():.3f} of that from memory (quartiles {quartiles})", flush=True)
    rows = peaks(images)
    print(pd.DataFrame(rows).T.to_string(float_format="{:.1f}".format), flush=True)
    return {
        "rounds": rounds,
        "from_disk": float(share.median()),
        "from_disk_quartiles": quartiles,
        "milliseconds": (1e3 * seconds.median()).to_dict(),
        "images": images,
        "peaks": rows,
    }


def contenders() -> list[Contender]:
    """Return the training step with images in memory, and with images on disk."""
    size = [str(number) for number in (BATCH_SIZE, SIDE, SIDE, 3, LATENT_DIM)]
    worker = [sys.executable, "-m", "benchmarks.keras_worker"]
    layers = {"memory": "fused", "disk": "stored"}
    return [Contender(name, [*worker, layer, "float32", *size]) for name, layer in layers.items()]


def peaks(images: int) -> dict[str, dict[str, float]]:
    """Run each stage on so many images, in a temporary folder, and return its seconds and its peak memory."""
    stages = {name: [sys.executable, str(Path(f"src/{name}.py").resolve())] for name in read_stages(Path())}
    with tempfile.TemporaryDirectory(dir=".dvc/tmp") as place:
        folder = Path(place)
        write_images(folder / "images.npz", images)
        params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
        for section, changes in {"prepare": {"dataset": "images.npz"}, **QUICK}.items():
            params[section] |= changes
        (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        return {name: run(command, folder) for name, command in stages.items()}


def write_images(path: Path, count: int) -> None:
    """Write a `.npz` file of coloured discs, whose class is their size, a few images at a time."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=count)
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("images.npy", "w", force_zip64=True) as stream:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIDE, SIDE, 3)}
            np.lib.format.write_array_header_2_0(stream, header)
            for start in trange(0, count, CHUNK, desc="images", disable=None):
                stream.write(discs(4 + 1.5 * labels[start : start + CHUNK], rng).tobytes())
        with archive.open("labels.npy", "w") as stream:
            np.lib.format.write_array(stream, labels)


def discs(radii: NDArray[np.floating[Any]], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (n, SIDE, SIDE, 3) of discs with these radii (n,), at random places and in random colours."""
    count, (rows, columns) = len(radii), np.mgrid[:SIDE, :SIDE]
    y, x = rng.uniform(12, SIDE - 12, size=(2, count, 1, 1))
    inside = ((rows - y) ** 2 + (columns - x) ** 2 < radii[:, np.newaxis, np.newaxis] ** 2)[..., np.newaxis]
    light, dark = rng.uniform(80, 255, size=(count, 1, 1, 3)), rng.uniform(0, 60, size=(count, 1, 1, 3))
    return np.where(inside, light, dark).astype(np.uint8)
