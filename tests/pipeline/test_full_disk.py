"""Each kind of writer on a full disk and on a read-only one: on a real disk, of two megabytes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vae.model  # noqa: F401, before Keras

# isort: split
from matplotlib.figure import Figure

from mirror import Reply, encode, serving, sha256
from vae.data.download import fetch
from vae.evaluation.classifier import Classifier
from vae.io.arrays import save_arrays
from vae.io.tables import write_csv, write_json
from vae.model.checkpoint import save_model
from vae.plots.style import save_figure
from vae.stage import run_stage

UNSHARE = ("--mount",), ("--user", "--map-root-user", "--mount")  # for root; for others, where the system allows it
MOUNT, MAKE_READ_ONLY = 'mount -t tmpfs -o size=2m none "$0"', 'mount -o remount,bind,ro "$0"'
KERAS, LABELS = "classifier.keras", "train-labels-idx1-ubyte.gz"
HOLD = f"{MOUNT} && echo ready && read _ && {MAKE_READ_ONLY} && echo ready && read _"


class Disk:
    """A tmpfs that only one process has mounted; others reach it through that process."""

    def __init__(self, holder: subprocess.Popen[str], mounted: Path) -> None:
        self.holder = holder
        self.path = Path(f"/proc/{holder.pid}/root{mounted}")

    def ready(self) -> bool:
        assert self.holder.stdout
        return self.holder.stdout.readline() == "ready\n"

    def fill(self, free: int) -> None:
        """Leave that many bytes free."""
        status = os.statvfs(self.path)
        (self.path / "filler").write_bytes(bytes(status.f_bavail * status.f_frsize - free))

    def make_read_only(self) -> None:
        assert self.holder.stdin
        print(file=self.holder.stdin, flush=True)
        assert self.ready()

    def tree(self) -> dict[str, bytes]:
        """Return all files and folders except the filler, hidden ones included."""
        return {
            str(path.relative_to(self.path)): path.read_bytes() if path.is_file() else b""
            for path in self.path.rglob("*")
            if path.name != "filler"
        }


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    for options in UNSHARE if shutil.which("unshare") else ():
        command = ["unshare", *options, "sh", "-c", HOLD, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            disk = Disk(holder, tmp_path)
            if disk.ready():
                yield disk
                return
    (pytest.fail if os.environ.get("CI") else pytest.skip)("this user may not mount a tmpfs")


def json_file(folder: Path, size: int) -> None:
    write_json(folder / "metrics.json", {"numbers": [0.5] * size})


def csv_file(folder: Path, size: int) -> None:
    write_csv(folder / "history.csv", pd.DataFrame({"loss": np.full(size, 123.4567)}))


def npz_file(folder: Path, size: int) -> None:
    save_arrays(folder / "train.npz", images=np.ones((size, 8)), labels=np.ones(size))


def picture(folder: Path, size: int) -> None:
    figure = Figure(figsize=(size / 10_000, 1))
    figure.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(0).random((99, 99)))
    save_figure(folder / "losses.png", figure)


def checkpoint(folder: Path, size: int) -> None:
    save_model(Classifier((12, 12, 1), [str(number) for number in range(size // 100)], seed=0), folder / KERAS)


def download(folder: Path, size: int) -> None:
    labels = np.random.default_rng(0).integers(0, 256, 10 * size, np.uint8)
    archive = encode(labels)
    with serving() as server:
        server.replies[LABELS] = [Reply(archive)]
        fetch(folder / LABELS, [server.mirror], sha256(archive), "contents")


WRITERS = {
    json_file: "metrics.json",
    csv_file: "history.csv",
    npz_file: "train.npz",
    picture: "losses.png",
    checkpoint: KERAS,
    download: LABELS,
}
Writer = Callable[[Path, int], None]
each_writer = pytest.mark.parametrize(("write", "name"), WRITERS.items(), ids=WRITERS.values())


def sentence(write: Writer, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the last line on stderr of a stage that fails."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        run_stage(lambda: write(folder, 5000))
    assert ended.value.code == 1
    *before, last = capsys.readouterr().err.splitlines()
    assert all(line.startswith(("Downloading ", f"{folder / LABELS}: its SHA-256 ")) for line in before)
    return last


@each_writer
@pytest.mark.parametrize("free", [0, 16_384])
def test_a_full_disk_leaves_the_former_file(
    disk: Disk, capsys: pytest.CaptureFixture[str], write: Writer, name: str, free: int
) -> None:
    write(disk.path, 1000)
    former = disk.tree()
    disk.fill(free)
    assert sentence(write, disk.path, capsys) == f"error: {disk.path / name}: No space left on device."
    assert disk.tree() == former
    (disk.path / "filler").unlink()
    write(disk.path, 5000)
    assert disk.tree().keys() == former.keys()
    assert disk.tree() != former


@pytest.mark.slow
def test_a_full_disk_does_not_crash_the_process(disk: Disk, root: Path) -> None:
    # HDF5 aborts the process if it cannot write, at the latest when the process ends.
    checkpoint(disk.path, 1000)
    disk.fill(free=65_536)
    code = f"run_stage(lambda: checkpoint(Path({str(disk.path)!r}), 5000))"
    command = [sys.executable, "-c", f"from test_full_disk import Path, checkpoint, run_stage; {code}"]
    done = subprocess.run(command, cwd=root / "tests/pipeline", capture_output=True, text=True)
    assert done.stderr == f"error: {disk.path / KERAS}: No space left on device.\n"
    assert done.returncode == 1


@each_writer
def test_a_read_only_disk_leaves_the_former_file(
    disk: Disk, capsys: pytest.CaptureFixture[str], write: Writer, name: str
) -> None:
    write(disk.path, 1000)
    former = disk.tree()
    disk.make_read_only()
    assert sentence(write, disk.path, capsys) == f"error: {disk.path / name}: Read-only file system."
    assert disk.tree() == former
