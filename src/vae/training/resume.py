"""Unfinished work on disk: a training resumes after its last finished epoch, to the bytes of an uninterrupted one."""

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

from vae.data.shards import StoredImages, at_once, pieces
from vae.errors import InputError
from vae.io.arrays import read_arrays, save_arrays
from vae.training.callbacks import EpochRecord

SOURCES = Path(__file__).parents[2]
LIBRARIES = ("keras", "numpy", "tensorflow")
KERNELS = re.compile(r"TF_(?!CPP_|CONFIG$|NUM_)|DNNL_|ONEDNN_")
"""Prefixes of the environment variables that choose among kernels; `TF_CPP_` variables affect only logs, `TF_CONFIG`
lists the workers, and `TF_NUM_` variables number the threads, as the machine otherwise does."""


def fingerprint(settings: dict[str, Any], *arrays: NDArray[Any] | StoredImages) -> str:
    """Return a hash of everything that determines the outcome of long work, except for the machine.

    Args:
        settings: all its settings, including the seed.
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
        array = array if isinstance(array, StoredImages) else np.atleast_1d(array)  # a weight may be a scalar
        values = array.rows if isinstance(array, StoredImages) else array
        for rows in pieces(len(array), at_once(array.shape[1:])):
            digest.update(np.ascontiguousarray(values[rows]).data)
    return digest.hexdigest()


def _sources() -> list[Path]:
    files = {Path(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    return sorted(file for file in files if file.is_relative_to(SOURCES))


class StateFile:
    """The file that contains the state of one training, or of other long work, and of no other.

    Args:
        path: the path of the file, a `.npz`.
        fingerprint: the fingerprint of the work.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint

    @property
    def best(self) -> Path:
        """The path of the best model, which is written next to the state if the training diverges."""
        return self.path.with_name("best.keras")

    def write(self, values: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        """Replace the former state, whole or not at all."""
        text = json.dumps({"fingerprint": self.fingerprint, "arrays": len(arrays), "values": values})
        save_arrays(self.path, state=np.array(text), **{f"array_{i}": array for i, array in enumerate(arrays)})

    def read(self) -> tuple[dict[str, Any], list[NDArray[Any]]] | None:
        """Return the last state; or print why it is damaged or belongs to other work, and return None."""
        if not self.path.exists():
            return None
        try:
            state = json.loads(str(read_arrays(self.path, "state")["state"]))
            if state["fingerprint"] != self.fingerprint:
                print(f"{self.path} belongs to other parameters, data or code: starting over.")
                return None
            return state["values"], list(
                read_arrays(self.path, *(f"array_{i}" for i in range(state["arrays"]))).values()
            )
        except (InputError, ValueError, KeyError, TypeError) as error:
            print(f"{self.path} cannot be used, starting over: {error}")
            return None


def state_folder(folder: str) -> Path:
    """Return the folder of all unfinished work of a kind, which is in the user's checkout.

    DVC runs an experiment with `--temp` or from the queue in a temporary copy of the checkout, and another one after a
    kill. It names the checkout in DVC_ROOT, so that every copy finds the state.
    """
    root = Path(os.environ.get("DVC_ROOT", ""))
    elsewhere = root.is_dir() and not root.samefile(".")
    return (root if elsewhere else Path()) / folder


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock on a file while the block runs, so that only one process writes what is next to it.

    Where the file system has no locks, as some network disks, a warning is printed and the block runs without one.

    Raises:
        InputError: another process holds the lock.
        OSError: the file cannot be opened for writing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The system releases the lock when the process ends, however it ends. The file stays, for the next process to lock,
    # and is open for writing, which NFS requires.
    with path.open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another process is using {path.parent}; wait for it to finish, or stop it.") from None
        except OSError as error:
            print(
                f"warning: {path} cannot be locked ({os.strerror(error.errno or 0)}); the work continues without the "
                "lock. Do not start it a second time in this folder.",
                file=sys.stderr,
            )
        yield


@contextmanager
def unfinished(folder: Path, fingerprint: str) -> Iterator[StateFile]:
    """Yield the state file of one piece of work, in a folder of its own; remove both if the block succeeds.

    They stay if the block fails or the process is killed. The folders of other work stay in any case.

    Args:
        folder: the folder of all unfinished work of this kind.
        fingerprint: the fingerprint of this one.

    Raises:
        InputError: another process is doing the same, for example as another experiment.
    """
    own = folder / fingerprint[:16]
    lock = own.with_suffix(".lock")
    if not own.exists() and any(folder.glob("*/")):
        print(f"{folder} contains only work with other parameters, data or code: starting over.", flush=True)
    with exclusive(lock):
        own.mkdir(parents=True, exist_ok=True)
        yield StateFile(own / "state.npz", fingerprint)
        shutil.rmtree(own, ignore_errors=True)  # a network disk may still be holding a file
        lock.unlink(missing_ok=True)
    with suppress(OSError):  # it contains others, or is a link to a folder elsewhere
        folder.rmdir()


class Resume(keras.callbacks.Callback):
    """A copy on disk of everything that a training changes, written after each epoch and read at the beginning.

    It leaves out the order of the images and the noise in validation, which follow from the seed and the epoch.

    Args:
        file: the file of the state, which may not exist yet.
        record: the record of the epochs, called before this callback.
        early_stopping: the early stopping, called before this callback.
    """

    def __init__(self, file: StateFile, record: EpochRecord, early_stopping: keras.callbacks.EarlyStopping) -> None:
        super().__init__()
        self.file, self.record, self.early_stopping = file, record, early_stopping
        self.found = file.read()

    def remaining(self, epochs: int) -> range:
        """Return the numbers, from 0, of the epochs that are left of `epochs`."""
        if self.found is None:
            return range(epochs)
        values, _ = self.found
        done = len(values["rows"])
        print(f"Resuming after epoch {done} from {self.file.path}")
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
        self.early_stopping.best_weights = arrays[count:] or None
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
        self.file.write(values, arrays + (self.early_stopping.best_weights or []))

    def _variables(self) -> list[keras.Variable]:
        """Return the variables of the model, with its random states, and of the optimizer, with its step."""
        return [*self.model.variables, *self.model.optimizer.variables]
