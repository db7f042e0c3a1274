"""An unfinished training on disk: killed at any moment, it goes on from its last finished epoch, to the same bytes."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError
from vae.nn.progress import EpochRecord
from vae.splits import read_arrays, save_arrays

SOURCES = Path(__file__).parents[2]
LIBRARIES = ("keras", "numpy", "tensorflow")
KERNELS = re.compile(r"TF_(?!CPP_)|DNNL_|ONEDNN_")
"""How the names of the environment variables begin that choose among kernels; those of `TF_CPP_` are of logs."""


def fingerprint(settings: dict[str, Any], *arrays: NDArray[Any]) -> str:
    """A hash of all that the outcome of a training depends on but the machine and how many of its processors it has.

    Args:
        settings: all that it takes, the seed among them.
        *arrays: the data.

    Returns:
        The SHA-256 of the settings, the data, every module from `src/` that has been imported, the versions of the
        libraries that compute, and the environment variables that choose among their kernels.
    """
    libraries = {name: version(name) for name in LIBRARIES}
    environment = {name: value for name, value in os.environ.items() if KERNELS.match(name)}
    digest = hashlib.sha256(json.dumps([settings, libraries, environment], sort_keys=True).encode())
    for file in _sources():
        digest.update(f"\0{file.relative_to(SOURCES)}\0".encode() + file.read_bytes())
    for array in arrays:
        digest.update(f"\0{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _sources() -> list[Path]:
    files = {Path(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    return sorted(file for file in files if file.is_relative_to(SOURCES))


class StateFile:
    """The file that holds the state of one training, and of no other.

    Args:
        path: of the file, a `.npz`.
        fingerprint: of the training.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint

    def write(self, values: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        """Take the place of the former state, whole or not at all."""
        text = json.dumps({"fingerprint": self.fingerprint, "arrays": len(arrays), "values": values})
        save_arrays(self.path, state=np.array(text), **{f"array_{i}": array for i, array in enumerate(arrays)})

    def read(self) -> tuple[dict[str, Any], list[NDArray[Any]]] | None:
        """What was written last; None, and a line that says why, if that is broken or of another training."""
        if not self.path.exists():
            return None
        try:
            state = json.loads(str(read_arrays(self.path, "state")[0]))
            if state["fingerprint"] != self.fingerprint:
                print(f"{self.path} is of a training with other parameters, data or code: starting anew.")
                return None
            return state["values"], list(read_arrays(self.path, *(f"array_{i}" for i in range(state["arrays"]))))
        except (InputError, ValueError, KeyError, TypeError) as error:
            print(f"{self.path} can't be used, starting anew: {error}")
            return None


@contextmanager
def unfinished(folder: Path, fingerprint: str) -> Iterator[StateFile]:
    """The state file of one training, in a folder of its own among the unfinished ones; removed if the block succeeds.

    If the block does not succeed, or the process is killed, it stays; those of other trainings do in any case. While
    the block goes on, no other process has any of them.

    Args:
        folder: of the unfinished trainings.
        fingerprint: of this one.

    Raises:
        InputError: another process has the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Given back when the process ends, however it ends. A file that stays, and open for writing, as NFS asks for.
    with folder.with_name(f".{folder.name}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another training has {folder}; wait for its end, or end it.") from None
        own = folder / fingerprint[:16]
        if not own.exists() and any(folder.iterdir()):
            print(f"{folder} has trainings with other parameters, data or code alone: starting anew.", flush=True)
        own.mkdir(exist_ok=True)
        yield StateFile(own / "state.npz", fingerprint)
        shutil.rmtree(own)
        with suppress(OSError):  # it has others, or is a link to a folder elsewhere
            folder.rmdir()


class Resume(keras.callbacks.Callback):
    """Keeps all that a training has changed by the end of each epoch, and begins with what was kept.

    The order of the images is not kept, nor the noise in validation: both follow from the seed and the epoch.

    Args:
        file: where the state is, or will be.
        record: of the epochs, called before this callback.
        early_stopping: likewise.
    """

    def __init__(self, file: StateFile, record: EpochRecord, early_stopping: keras.callbacks.EarlyStopping) -> None:
        super().__init__()
        self.file, self.record, self.early_stopping = file, record, early_stopping
        self.found = file.read()

    def remaining(self, epochs: int) -> range:
        """The numbers, from 0, of the epochs that are still to be run if there are to be `epochs`."""
        if self.found is None:
            return range(epochs)
        values, _ = self.found
        done = len(values["rows"])
        print(f"Going on after epoch {done}, by {self.file.path}")
        return range(done, done if values["stopped"] else epochs)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.model.optimizer.build(self.model.trainable_variables)
        if self.found is None:
            return
        values, arrays = self.found
        variables = self._variables()
        count = len(variables)
        for variable, value in zip(variables, arrays[:count], strict=True):
            variable.assign(value)
        self.early_stopping.best_weights = arrays[count:]
        vars(self.early_stopping).update(values["early_stopping"])
        self.record.rows.extend(values["rows"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        names = ("best", "best_epoch", "stopped_epoch", "wait")
        values = {
            "rows": self.record.rows,
            "stopped": self.model.stop_training,
            "early_stopping": {name: getattr(self.early_stopping, name) for name in names},
        }
        arrays = [variable.numpy() for variable in self._variables()]
        self.file.write(values, arrays + self.early_stopping.best_weights)

    def _variables(self) -> list[keras.Variable]:
        """The model's, the states of its random generators included, and the optimizer's, its step included."""
        return [*self.model.variables, *self.model.optimizer.variables]
