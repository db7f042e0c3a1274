"""What it costs that a killed training goes on, and what deterministic operations would.

The state that `vae.nn.resume` keeps after each epoch, and the fingerprint that it takes once, as shares of a training
with the settings of `params.yaml` on all the data. And the training step with TensorFlow's deterministic operations
(`TF_DETERMINISTIC_OPS=1`), in turn with the step as it is: on a CPU that gives the same bytes in each run, too.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import numpy as np
from numpy.typing import NDArray

from benchmarks.turns import Contender, in_turn
from benchmarks.variants import AS_IT_IS
from vae.nn.resume import StateFile, fingerprint
from vae.nn.training import build_model, fit
from vae.settings import Train, load_settings
from vae.splits import load_split

EPOCHS = 2
DETERMINISTIC = "deterministic operations"


class TimedFile(StateFile):
    """A state file with the seconds that each of its writes took."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        super().__init__(path, fingerprint)
        self.seconds: list[float] = []

    def write(self, values: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        started = time.perf_counter()
        super().write(values, arrays)
        self.seconds.append(time.perf_counter() - started)


def measure(rounds: int = 8) -> dict[str, Any]:
    """Prints and returns the seconds and shares of the state and the fingerprint, and the ratio of the steps."""
    settings, seed = load_settings(Train)
    images, validation_images = (
        load_split(Path(f"data/prepared/{name}.npz")).images for name in ("train", "validation")
    )
    started = time.perf_counter()
    mark = fingerprint({"seed": seed, **dict(settings)}, images, validation_images)
    fingerprint_seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory(dir="models") as folder:
        file = TimedFile(Path(folder) / "state.npz", mark)
        shorter = settings.model_copy(update={"epochs": EPOCHS})
        history = fit(build_model(shorter, seed), images, validation_images, shorter, seed, file)
        size = file.path.stat().st_size
    write, epoch = float(np.median(file.seconds)), float(history.seconds.median())
    share = (fingerprint_seconds + settings.epochs * write) / (settings.epochs * epoch)
    print(
        f"state: {size / 1e6:.1f} MB, {write:.3f} s an epoch of {epoch:.1f} s; fingerprint: {fingerprint_seconds:.2f} s"
    )
    print(f"together {share:.2%} of the training's {settings.epochs} epochs")
    command = [sys.executable, "-m", "benchmarks.variants", AS_IT_IS]
    contenders = [
        Contender(AS_IT_IS, command),
        Contender(DETERMINISTIC, ["env", "TF_DETERMINISTIC_OPS=1", *command]),
    ]
    seconds = in_turn(contenders, rounds)
    low, ratio, high = (seconds[DETERMINISTIC] / seconds[AS_IT_IS]).quantile([0.25, 0.5, 0.75])
    print(f"deterministic operations: {ratio:.2f} ({low:.2f}-{high:.2f}) of the step as it is, {rounds} rounds")
    return {
        "state": {"seconds": write, "bytes": size, "epoch_seconds": epoch},
        "fingerprint_seconds": fingerprint_seconds,
        "share_of_training": share,
        "deterministic_operations": {"rounds": rounds, "ratio": ratio, "quartiles": [low, high]},
    }
