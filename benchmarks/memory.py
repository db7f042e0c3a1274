"""The peak memory of each stage on images that are larger than the memory it may use: 200,000 of 64x64x3, 2.5 GB."""

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

IMAGES, SIDE, CLASSES = 200_000, 64, 10
CHUNK = 1000
QUICK = {"train": {"epochs": 1}, "evaluate": {"samples": 1}, "classify": {"epochs": 1}}
"""What takes time, but no memory."""


def measure(images: int = IMAGES) -> dict[str, Any]:
    """Run each stage on so many images, in a temporary folder; print and return its seconds and its peak memory."""
    stages = {name: [sys.executable, str(Path(f"src/{name}.py").resolve())] for name in read_stages(Path())}
    with tempfile.TemporaryDirectory(dir=".dvc/tmp") as place:  # the system's temporary folder may be in memory
        folder = Path(place)
        write_images(folder / "images.npz", images)
        params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
        for section, changes in {"prepare": {"dataset": "images.npz"}, **QUICK}.items():
            params[section] |= changes
        (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        rows = {name: run(command, folder) for name, command in stages.items()}
    print(pd.DataFrame(rows).T.to_string(float_format="{:.1f}".format), flush=True)
    return {"images": images, "stages": rows}


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
