"""What it costs that a killed training can resume, and what deterministic operations would cost.

`vae.training.resume` saves a state after each epoch, and computes a fingerprint once. Both are measured as shares of a
training with the settings of `params.yaml` on all the data. Then the training step with TensorFlow's deterministic
operations (`TF_DETERMINISTIC_OPS=1`) is timed, in turn with the step as it is. On a CPU, the step as it is also gives
the same bytes in each run.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.prepared import prepared
from benchmarks.turns import Contender, in_turn
from benchmarks.variants import AS_IT_IS
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.training.fit import build_model, fit
from vae.training.resume import StateFile, fingerprint

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
    """Print and return what the state, the fingerprint and deterministic operations cost."""
    state = resuming()
    command = [sys.executable, "-m", "benchmarks.variants", AS_IT_IS]
    contenders = [
        Contender(AS_IT_IS, command),
        Contender(DETERMINISTIC, ["env", "TF_DETERMINISTIC_OPS=1", *command]),
    ]
    seconds = in_turn(contenders, rounds)
    low, ratio, high = (seconds[DETERMINISTIC] / seconds[AS_IT_IS]).quantile([0.25, 0.5, 0.75])
    print(f"deterministic operations: {ratio:.2f} ({low:.2f}–{high:.2f}) of the step as it is, {rounds} rounds")
    return {**state, "deterministic_operations": {"rounds": rounds, "ratio": ratio, "quartiles": [low, high]}}


def resuming() -> dict[str, Any]:
    """Print and return the size of the state, the seconds to write it, and the seconds of the fingerprint."""
    seed, model, train = load_settings(Model, Train)
    data, validation = prepared("train"), prepared("validation")
    started = time.perf_counter()
    mark = fingerprint({"seed": seed, "model": dict(model), "train": dict(train)}, data.images, validation.images)
    fingerprint_seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory(dir="models") as folder:
        file = TimedFile(Path(folder) / "state.npz", mark)
        shorter = train.model_copy(update={"epochs": EPOCHS})
        history = fit(build_model(data, model, shorter, seed), data.images, validation.images, shorter, seed, file)
        size = file.path.stat().st_size
    write, epoch = float(np.median(file.seconds)), float(history.seconds.median())
    share = (fingerprint_seconds + train.epochs * write) / (train.epochs * epoch)
    print(
        f"state: {size / 1e6:.1f} MB, {write:.3f} s after an epoch of {epoch:.1f} s; "
        f"fingerprint: {fingerprint_seconds:.2f} s; together {share:.2%} of the {train.epochs} epochs of training",
        flush=True,
    )
    return {
        "state": {"seconds": write, "bytes": size, "epoch_seconds": epoch},
        "fingerprint_seconds": fingerprint_seconds,
        "share_of_training": share,
    }
