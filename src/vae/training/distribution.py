"""Training on several devices or machines by `tf.distribute`, as `train.strategy` names it."""

import faulthandler
import io
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vae.errors import InputError
from vae.model.runtime import CLUSTER, device, without_chatter
from vae.training.cluster import workers_of
from vae.training.resume import StateFile

LAST_WORDS = (
    "^([EW]0000 |Additional GRPC error|:UNKNOWN:|/job:worker/|/job:chief/|The tasks have crashed|The error could be)"
)
"""Matches the dozens of lines that TensorFlow prints about a lost worker, before and after it raises one of `LOST`.

Their sources vary, so all of its warnings and errors are left out here: what ends a training is raised as well.
"""
LOST = (
    *(tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError),
    tf.errors.FailedPreconditionError,  # the worker has been started again already
)
"""What TensorFlow raises in the remaining workers, depending on what they are doing, after one has ended."""
PATIENCE = 300.0
"""Seconds in which all workers must have started. TensorFlow would wait for an hour."""
BASES = (2**24, 2**24)
"""The bases of the two digits of a number of bytes: the largest whose digits float32 holds exactly.

Bytes and digits travel as float32, which all devices can add up.
"""


class Workers(NamedTuple):
    """The processes that train together, and this process's place among them."""

    strategy: tf.distribute.Strategy
    number: int = 0
    total: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files and prints the epochs. Of several workers, one does."""
        return self.number == 0

    def description(self) -> str:
        """Return what trains, for a line of output."""
        replicas = self.strategy.num_replicas_in_sync
        own = replicas // self.total
        place = device(own)
        if replicas == 1:
            return place
        if self.total == 1:
            return f"{replicas} replicas on {place}"
        return f"{own} of {replicas} replicas on {place}, worker {self.number} of {self.total}"

    @property
    def identity(self) -> dict[str, int]:
        """What the bytes of a training depend on: the numbers of replicas and of workers, if there are several."""
        numbers = {"replicas": self.strategy.num_replicas_in_sync, "workers": self.total}
        return {name: number for name, number in numbers.items() if number > 1}

    def check_same(self, fingerprint: str) -> None:
        """Compare a fingerprint of parameters, data and code with the chief's.

        Raises:
            InputError: it differs from the chief's.
        """
        if self.from_chief(fingerprint.encode()) != fingerprint.encode():
            raise InputError(
                f"worker {self.number} has other parameters, data, code, libraries or TF_... variables than the chief: "
                "all workers need the same commit, params.yaml, data/prepared and environment."
            )

    def from_chief(self, data: bytes) -> bytes:
        """Return the chief's bytes, whatever the bytes of the other workers."""
        if self.total == 1:
            return data
        digits = np.array(np.unravel_index(len(data), BASES), np.float32)
        size = int(np.ravel_multi_index(self._chiefs(digits).astype(np.int64), BASES))
        numbers = np.zeros(size, np.float32)
        if self.is_chief:
            numbers[:] = np.frombuffer(data, np.uint8)
        return self._chiefs(numbers).astype(np.uint8).tobytes()

    def _chiefs(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values of the chief: the sum over the replicas, in which only its first one is not zero."""

        def own(values: tf.Tensor) -> tf.Tensor:
            first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
            return tf.where(first, values, tf.zeros_like(values))

        @tf.function  # type: ignore[untyped-decorator]  # TensorFlow warns about collective operations outside of one
        def total(values: tf.Tensor) -> tf.Tensor:
            return self.strategy.reduce("SUM", self.strategy.run(own, args=(values,)), axis=None)

        summed: NDArray[np.float32] = total(tf.constant(values)).numpy()
        return summed


class SharedState(StateFile):
    """The state of a training in the chief's file, which the other workers receive and do not write.

    Args:
        workers: the workers.
        file: the file, of the chief; None of other workers.
    """

    def __init__(self, workers: Workers, file: StateFile | None) -> None:
        super().__init__(*((file.path, file.fingerprint) if file else (Path("the chief's state"), "")))
        self.workers, self.is_file = workers, file is not None

    def write(self, values: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        """Replace the former state in the chief's file."""
        if self.is_file:
            super().write(values, arrays)

    def read(self) -> tuple[dict[str, Any], list[NDArray[Any]]] | None:
        """Return the last state in the chief's file, as `StateFile.read` does."""
        found = super().read() if self.is_file else None
        if self.workers.total == 1:
            return found
        values, arrays = found or (None, [])
        data = io.BytesIO()
        named: dict[str, Any] = {f"array_{i}": array for i, array in enumerate(arrays)}
        np.savez(data, values=np.array(json.dumps(values)), **named)
        with np.load(io.BytesIO(self.workers.from_chief(data.getvalue())), allow_pickle=False) as chiefs:
            values = json.loads(str(chiefs["values"]))
            return values and (values, [chiefs[f"array_{i}"] for i in range(len(chiefs.files) - 1)])


@contextmanager
def connected(strategy: str) -> Iterator[Workers]:
    """Connect the workers of a strategy, and report it if one is lost while the block runs.

    Args:
        strategy: `none`; `mirrored`, a replica on each of this machine's GPUs; or `multi_worker`, such replicas on each
            of the machines that `CLUSTER` lists.

    Raises:
        InputError: `CLUSTER` is missing or wrong, or another worker has ended.
    """
    addresses, index = workers_of(strategy)
    if len(addresses) < 2:
        yield Workers(_strategy(strategy))
        return
    others = f"the chief ({addresses[0]})" if index else f"the other workers ({', '.join(addresses[1:])})"
    print(f"worker {index} of {len(addresses)} connects to {others}", flush=True)
    late = f"{others} did not connect within {PATIENCE:.0f} s; start all workers, and check the addresses in {CLUSTER}."
    try:
        with without_chatter(LAST_WORDS, until_the_end=LOST):
            with _within(PATIENCE, late):
                together = _together(addresses[index])
            yield Workers(together, index, len(addresses))
    except LOST:
        raise InputError(
            "another worker has ended or cannot be reached; start all workers again, and the training resumes after "
            "its last finished epoch."
        ) from None


def _together(own: str) -> tf.distribute.Strategy:
    """Return the strategy of several workers, once all are connected."""
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except LOST:
        raise
    except tf.errors.OpError as error:
        reason = error.message.splitlines()[0]
        raise InputError(
            f"this worker cannot listen at its address in {CLUSTER}, {own} ({reason}): is it another machine's, or "
            "does another program use the port?"
        ) from None


@contextmanager
def _within(seconds: float, otherwise: str) -> Iterator[None]:
    """End the process with status 1 and a sentence if the block takes longer. Ctrl-C ends it at once.

    TensorFlow keeps Python's lock while it connects, so that no thread and no signal handler of Python could do it. The
    thread of `faulthandler` needs no lock. It writes where the process stands, which lets a shell print the sentence.
    """
    interrupt = signal.getsignal(signal.SIGINT)
    if callable(interrupt):  # a Python handler; if Ctrl-C is ignored, it stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = ["sh", "-c", 'read -r _ && echo "error: $0" >&2', otherwise]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as shell:  # noqa: S603
        assert shell.stdin
        faulthandler.dump_traceback_later(seconds, exit=True, file=shell.stdin.fileno())
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            if callable(interrupt):
                signal.signal(signal.SIGINT, interrupt)


def _strategy(strategy: str) -> tf.distribute.Strategy:
    """Return the strategy of a single machine."""
    if strategy == "none":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])
