"""What each kind of writer leaves on a full disk, and on a read-only one: on a real disk, of two megabytes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from test_datasets import NAME, TEST, TRAIN, Reply, archives, serving, source
from vae.datasets import fetch
from vae.errors import run_stage
from vae.figures.style import save_figure
from vae.files import write_csv, write_json
from vae.nn.classifier import build_classifier
from vae.nn.weights import save_model
from vae.splits import save_arrays

UNSHARE = ("--mount",), ("--user", "--map-root-user", "--mount")  # for root; for others, where the system lets them
MOUNT, MAKE_READ_ONLY = 'mount -t tmpfs -o size=2m none "$0"', 'mount -o remount,bind,ro "$0"'
HOLD = f"{MOUNT} && echo ready && read _ && {MAKE_READ_ONLY} && echo ready && read _"


class Disk:
    """A tmpfs that is mounted in the eyes of one process alone, and seen through that."""

    def __init__(self, holder: subprocess.Popen[str], mounted: Path) -> None:
        self.holder = holder
        self.path = Path(f"/proc/{holder.pid}/root{mounted}")

    def ready(self) -> bool:
        assert self.holder.stdout
        return self.holder.stdout.readline() == "ready\n"

    def fill(self, free: int) -> None:
        """Leave so many bytes free."""
        status = os.statvfs(self.path)
        (self.path / "filler").write_bytes(bytes(status.f_bavail * status.f_frsize - free))

    def make_read_only(self) -> None:
        assert self.holder.stdin
        print(file=self.holder.stdin, flush=True)
        assert self.ready()

    def tree(self) -> dict[str, bytes]:
        """All files and folders but the filler, hidden ones too."""
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
    (pytest.fail if os.environ.get("CI") else pytest.skip)("no disk: this user may not mount a tmpfs")


def json_file(folder: Path, size: int) -> None:
    write_json(folder / "metrics.json", {"figures": [0.5] * size})


def csv_file(folder: Path, size: int) -> None:
    write_csv(folder / "history.csv", pd.DataFrame({"loss": np.full(size, 123.4567)}))


def npz_file(folder: Path, size: int) -> None:
    save_arrays(folder / "train.npz", images=np.ones((size, 8)), labels=np.ones(size))


def picture(folder: Path, size: int) -> None:
    figure = Figure(figsize=(size / 10_000, 1))
    figure.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(0).random((99, 99)))
    save_figure(folder / "losses.png", figure)


def checkpoint(folder: Path, size: int) -> None:
    config = {"image_shape": (12, 12, 1), "classes": size // 100, "seed": 0}
    save_model(build_classifier(**config), folder / "classifier", build_classifier, config)


def download(folder: Path, size: int) -> None:
    train = TRAIN._replace(labels=np.random.default_rng(0).integers(0, 256, 10 * size, np.uint8))
    with serving() as server:
        server.replies[NAME] = [Reply(archives(train, TEST)[NAME])]
        fetch(source(server.mirror, train=train), NAME, folder)


WRITERS = {
    json_file: "metrics.json",
    csv_file: "history.csv",
    npz_file: "train.npz",
    picture: "losses.png",
    checkpoint: "classifier",
    download: NAME,
}
Writer = Callable[[Path, int], None]
each_writer = pytest.mark.parametrize(("write", "name"), WRITERS.items(), ids=WRITERS.values())


def sentence(write: Writer, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a stage that fails says, but for what a download says before."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        run_stage(lambda: write(folder, 5000))
    assert ended.value.code == 1
    *before, last = capsys.readouterr().err.splitlines()
    assert all(line.startswith(("Downloading ", f"{folder / NAME}: its SHA-256 ")) for line in before)
    return last


@each_writer
@pytest.mark.parametrize("free", [0, 16_384])
def test_a_full_disk_leaves_the_former(
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
    # As HDF5 does when it cannot write, at the end of the process if not before.
    checkpoint(disk.path, 1000)
    disk.fill(free=65_536)
    code = f"run_stage(lambda: checkpoint(Path({str(disk.path)!r}), 5000))"
    command = [sys.executable, "-c", f"from test_full_disk import Path, checkpoint, run_stage; {code}"]
    env = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root / 'tests'}"}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.stderr == f"error: {disk.path / 'classifier'}: No space left on device.\n"
    assert done.returncode == 1


@each_writer
def test_a_read_only_disk_leaves_the_former(
    disk: Disk, capsys: pytest.CaptureFixture[str], write: Writer, name: str
) -> None:
    write(disk.path, 1000)
    former = disk.tree()
    disk.make_read_only()
    assert sentence(write, disk.path, capsys) == f"error: {disk.path / name}: Read-only file system."
    assert disk.tree() == former
