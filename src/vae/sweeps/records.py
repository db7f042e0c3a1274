"""What a sweep remembers on disk: which trials it has, and how each ended. The results are in the experiments."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vae.errors import InputError
from vae.io.whole import whole

Status = Literal["finished", "stopped", "failed"]


class Record(NamedTuple):
    """How a trial ended."""

    status: Status
    """`stopped` is by ASHA."""
    losses: list[float]
    """The validation loss of each epoch, in nats per image."""
    message: str = ""
    """Why it failed, in a sentence."""
    kept: float | None = None
    """The validation loss of the epoch whose weights are kept, if it finished."""

    @property
    def best(self) -> float | None:
        """The validation loss of the kept epoch, or else the lowest so far; None without an epoch."""
        return min(self.losses, default=None) if self.kept is None else self.kept


class Folder:
    """The folder of a sweep, in DVC's temporary folder, which git and DVC ignore.

    Args:
        root: the user's checkout.
        name: the name of the sweep.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / ".dvc/tmp/sweeps" / name
        self.ray = self.path / "ray"

    def clone(self, trial: str) -> Path:
        """Return the path of the clone in which a trial runs."""
        return self.path / "clones" / trial

    def log(self, trial: str) -> Path:
        """Return the path of what a trial printed."""
        return self.path / "logs" / f"{trial}.log"

    def lock(self, trial: str) -> Path:
        """Return the path of the lock that the processes of a trial hold."""
        return self.path / "locks" / f"{trial}.lock"

    def read_plan(self) -> dict[str, Any] | None:
        """Return what `write_plan` wrote, or None if the sweep has not begun."""
        plan: dict[str, Any] | None = _read(self.path / "sweep.json")
        return plan

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Write what must not change while the sweep is not finished."""
        _write(self.path / "sweep.json", plan)

    def read(self, trial: str) -> Record | None:
        """Return how a trial ended, or None if it has not."""
        found = _read(self.path / "records" / f"{trial}.json")
        return Record(**found) if found else None

    def write(self, trial: str, record: Record) -> None:
        """Write how a trial ended."""
        _write(self.path / "records" / f"{trial}.json", record._asdict())

    def forget(self, trial: str) -> None:
        """Remove the record of a trial, which is run again."""
        (self.path / "records" / f"{trial}.json").unlink(missing_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold a lock during the block, so that one process runs the sweep.

        Raises:
            InputError: another process holds it.
        """
        path = self.lock("sweep")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"another vae sweep is running {self.path.name}; wait for it, or stop it.") from None
            yield


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _write(path: Path, content: dict[str, Any]) -> None:
    with whole(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
