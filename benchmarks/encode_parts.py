"""`vae encode` of a million images by one worker and by two, each of which encodes one part: the time and the rows."""

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import numpy as np
from tqdm import tqdm

from benchmarks.prepared import raw_images
from vae.data.shards import pieces
from vae.model.checkpoint import save_model
from vae.model.vae import VAE

IMAGES, FILES = 1_000_000, 10
VAE_COMMAND = str(Path(sys.executable).with_name("vae"))


class Case(NamedTuple):
    """Workers that share the images."""

    workers: int
    threads: int
    """Of each worker, which is bound to as many cores; 0 binds none, so that each starts a thread for every core."""


CASES = (Case(1, 2), Case(1, 1), Case(2, 1), Case(2, 0))


def measure(images: int = IMAGES, rounds: int = 2) -> dict[str, Any]:
    """Time the workers in turn, from their start to the last one's end; print and return the results.

    The images are MNIST's, repeated, in ten `.npz` files. Cases whose workers have the same number of threads
    must give the same bits.

    Returns:
        `cases`, with the median `seconds` of each and its `images_per_second`; `start_seconds`, of a worker that
        encodes a single image; and `equal`, whether all cases gave the same bits, as on a processor with AVX-512.

    Raises:
        SystemExit: the rows of such cases differ, or a worker fails.
    """
    with tempfile.TemporaryDirectory(dir=".dvc/tmp") as place:  # the system's temporary folder may be in memory
        folder = Path(place)
        save_model(VAE((28, 28, 1), 10, seed=0), folder / "vae.keras")
        write_images(folder / "images", images)
        np.savez(folder / "one.npz", images=np.zeros((1, 28, 28, 1), np.uint8))
        seconds: dict[Case, list[float]] = {case: [] for case in CASES}
        starts, references, all_equal = [], dict[int, dict[str, Any]](), True
        for _ in range(rounds):
            starts.append(run(folder, CASES[0], "one.npz"))
            joined(folder)
            for case in CASES:
                seconds[case].append(run(folder, case, "images/*.npz"))
                rows = joined(folder)
                if not equal(rows, references.setdefault(case.threads or len(os.sched_getaffinity(0)), rows)):
                    raise SystemExit(
                        f"error: {case} did not give the same rows as another case with the same number of threads."
                    )
                all_equal &= equal(rows, next(iter(references.values())))
    medians = {case: statistics.median(each) for case, each in seconds.items()}
    rows_of = [case._asdict() | {"seconds": s, "images_per_second": images / s} for case, s in medians.items()]
    results = {
        **{"images": images, "rounds": rounds, "cases": rows_of, "equal": all_equal},
        "start_seconds": statistics.median(starts),
    }
    print(results, flush=True)
    return results


def write_images(folder: Path, count: int) -> None:
    """Write that many images, MNIST's in their order, again and again, to `FILES` files."""
    folder.mkdir()
    raw = raw_images()
    for number, rows in enumerate(tqdm([*pieces(count, math.ceil(count / FILES))], "images", disable=None)):
        places = np.arange(rows.start, min(rows.stop, count)) % len(raw)
        np.savez(folder / f"{number:02}.npz", images=raw[places])


def run(folder: Path, case: Case, source: str) -> float:
    """Encode by all workers at the same time, and return the seconds until the last one has ended."""
    started = time.perf_counter()
    workers = [subprocess.Popen(command(case, number, source), cwd=folder) for number in range(case.workers)]  # noqa: S603
    statuses = [worker.wait() for worker in workers]
    if any(statuses):
        raise SystemExit(f"error: the workers of {case} ended with the statuses {statuses}.")
    return time.perf_counter() - started


def command(case: Case, number: int, source: str) -> list[str]:
    """Return the command of a worker, from 0. It leaves its rows in `latents/0.npz` and so on."""
    first = number * case.threads
    cores = [str(core) for core in sorted(os.sched_getaffinity(0))[first : first + case.threads]]
    binding = ["taskset", "-c", ",".join(cores)] if cores else []
    options = ["--model", "vae.keras", "--part", f"{number + 1}/{case.workers}", "--output", f"latents/{number}.npz"]
    return [*binding, VAE_COMMAND, "encode", source, *options]


def joined(folder: Path) -> dict[str, Any]:
    """Return the rows of all workers, one after the other, and remove their files."""
    paths = sorted((folder / "latents").iterdir())
    parts = [dict(np.load(path)) for path in paths]
    for path in paths:
        path.unlink()
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def equal(rows: dict[str, Any], others: dict[str, Any]) -> bool:
    """Return whether all arrays are equal."""
    return rows.keys() == others.keys() and all(np.array_equal(rows[name], others[name]) for name in rows)
