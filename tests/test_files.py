"""Files and folders that are whole or not there."""

import errno
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vae.errors import InputError
from vae.files import whole, write_csv, write_json


def tree(folder: Path) -> dict[str, str]:
    """Every file below `folder`, hidden ones too, with its text."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_made_with_its_folders(tmp_path: Path) -> None:
    with whole(tmp_path / "a/b/file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"a/b/file.txt": "new"}


def test_a_file_takes_the_place_of_the_former_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("former")
    with whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "former"
        assert (part.parent, part.suffix) == (path.parent, path.suffix)
    assert tree(tmp_path) == {"file.txt": "new"}


def test_a_folder_takes_the_place_of_the_former_with_all_it_held(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/former.txt").write_text("former")
    with whole(tmp_path / "folder") as part:
        part.mkdir()
        (part / "new.txt").write_text("new")
    assert tree(tmp_path) == {"folder/new.txt": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_former_file_is_all_there_is(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "file.txt").write_text("former")

    def write_half() -> None:
        with whole(tmp_path / "file.txt") as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert tree(tmp_path) == {"file.txt": "former"}


def test_after_an_error_the_former_folder_is_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/former.txt").write_text("former")

    def write_half() -> None:
        with whole(tmp_path / "folder") as part:
            part.mkdir()
            (part / "new.txt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert tree(tmp_path) == {"folder/former.txt": "former"}
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_an_interrupt_between_the_renames_of_a_folder_brings_the_former_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/former.txt").write_text("former")
    calls = []

    def interrupted(path: Path, target: Path, real: Callable[[Path, Path], Path] = Path.replace) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "folder") as part:
        part.mkdir()
    assert tree(tmp_path) == {"folder/former.txt": "former"}
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_cannot_be_removed_does_not_keep_the_former_folder_from_coming_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/former.txt").write_text("former")

    def fails_from_a_part(path: Path, target: Path, real: Callable[[Path, Path], Path] = Path.replace) -> Path:
        if path.name.endswith("-folder") and "former" not in path.name:
            raise OSError(errno.EIO, "cannot be renamed")
        return real(path, target)

    def fails(path: Path) -> None:
        raise OSError(errno.EIO, "cannot be removed")

    monkeypatch.setattr(Path, "replace", fails_from_a_part)
    monkeypatch.setattr(shutil, "rmtree", fails)
    with pytest.raises(OSError, match="cannot be removed"), whole(tmp_path / "folder") as part:
        part.mkdir()
    assert (tmp_path / "folder/former.txt").read_text() == "former"


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    (tmp_path / ".part-1-file.txt").write_text("being written")
    with whole(tmp_path / "file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"file.txt": "new", ".part-1-file.txt": "being written"}


@pytest.mark.parametrize("former", ["file.txt", "folder/file.txt"])
def test_a_writer_that_writes_nothing_leaves_the_former(tmp_path: Path, former: str) -> None:
    path = tmp_path / former
    path.parent.mkdir(exist_ok=True)
    path.write_text("former")
    with pytest.raises(FileNotFoundError), whole(tmp_path / Path(former).parts[0]):
        pass
    assert tree(tmp_path) == {former: "former"}


def test_json_is_indented_and_ends_in_a_line_break(tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"elbo": -102.5, "terms": {"kl": 19.25}, "images": 10})
    expected = '{\n  "elbo": -102.5,\n  "terms": {\n    "kl": 19.25\n  },\n  "images": 10\n}\n'
    assert (tmp_path / "metrics.json").read_bytes() == expected.encode()


def test_csv_has_no_index_and_seven_significant_digits(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"epoch": [1, 2], "loss": [123.456789, 0.1], "kl": np.array([0.1, 1e-9], np.float32)}, index=[7, 8]
    )
    write_csv(tmp_path / "history.csv", table)
    assert (tmp_path / "history.csv").read_bytes() == b"epoch,loss,kl\n1,123.4568,0.1\n2,0.1,1e-09\n"


KILLED = """
import os, signal, sys
from pathlib import Path
from vae.files import whole

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

path, kind, moment = Path(sys.argv[1]), *sys.argv[2:]
real = {"replace": os.replace, "unlink": os.unlink}
with whole(path) as part:
    if kind == "folder":
        part.mkdir()
    for name in ("a.txt", "b.txt"):
        (part / name if kind == "folder" else part).write_text("new")
        if moment == "writing":
            kill()
    if moment == "renaming":  # after the first rename
        Path.replace = lambda *paths: [real["replace"](*paths), kill()]
    if moment == "removing":  # after the first file of the former folder
        os.unlink = lambda *path, **options: [real["unlink"](*path, **options), kill()]
"""
FORMER_FOLDER = {"out/a.txt": "former", "out/b.txt": "former"}
NEW_FOLDER = {"out/a.txt": "new", "out/b.txt": "new"}
KILLS = {
    "file, writing": ({"out": "former"}, {"out": "former"}),
    "file, renaming": ({"out": "former"}, {"out": "new"}),
    "folder, writing": (FORMER_FOLDER, FORMER_FOLDER),
    "folder, renaming": (FORMER_FOLDER, {}),
    "folder, removing": (FORMER_FOLDER, NEW_FOLDER),
}


@pytest.mark.parametrize(("kill", "former", "left"), [(kill, *trees) for kill, trees in KILLS.items()], ids=KILLS)
def test_a_kill_leaves_all_or_nothing_and_the_next_write_tidies_up(
    root: Path, tmp_path: Path, kill: str, former: dict[str, str], left: dict[str, str]
) -> None:
    for name, text in former.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-c", KILLED, tmp_path / "out", *kill.split(", ")]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(root / "src")}, capture_output=True)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, b"")
    assert {name: text for name, text in tree(tmp_path).items() if not name.startswith(".part-")} == left

    with whole(tmp_path / "out") as part:
        part.write_text("next") if kill.startswith("file") else part.mkdir()
    assert tree(tmp_path) == ({"out": "next"} if kill.startswith("file") else {})
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_lost_to_a_kill_between_the_renames_comes_back_though_the_next_write_fails(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.txt").write_text("former")
    command = [sys.executable, "-c", KILLED, tmp_path / "out", "folder", "renaming"]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(root / "src")}, capture_output=True)
    assert not (tmp_path / "out").exists()
    with suppress(KeyboardInterrupt), whole(tmp_path / "out") as part:
        part.mkdir()
        raise KeyboardInterrupt
    assert tree(tmp_path) == {"out/a.txt": "former"}


def test_git_ignores_what_a_kill_leaves(root: Path) -> None:
    ignored = ["git", "check-ignore", "reports/.part-7-metrics.json", "data/raw/mnist/.part-7-former-x"]
    assert subprocess.run(ignored, cwd=root, capture_output=True, text=True).stdout.splitlines() == ignored[2:]


def test_what_is_left_of_another_file_stays(tmp_path: Path) -> None:
    (tmp_path / ".part-7-other.txt").write_text("being written")
    with whole(tmp_path / "file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"file.txt": "new", ".part-7-other.txt": "being written"}


def test_all_is_on_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = set()

    def flush(descriptor: int, real: Callable[[int], None] = os.fsync) -> None:
        assert not (tmp_path / "folder").exists()
        real(descriptor)
        flushed.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", flush)
    with whole(tmp_path / "folder") as part:
        (part / "inner").mkdir(parents=True)
        (part / "inner/file.txt").write_text("new")
    assert flushed == {path.stat().st_ino for path in (tmp_path / "folder", *(tmp_path / "folder").rglob("*"))}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_json_holds_finite_figures_alone(tmp_path: Path, number: float) -> None:
    write_json(tmp_path / "metrics.json", {"kl": 1.0})
    with pytest.raises(InputError) as refused:
        write_json(tmp_path / "metrics.json", {"images": 10, "terms": {"kl": number, "reconstruction": 1.0}})
    assert str(refused.value) == (
        f"{tmp_path}/metrics.json cannot hold terms.kl = {number}: if that is of a model that has gone astray, "
        "train it at a lower learning rate."
    )
    with pytest.raises(InputError, match=rf"/metrics\.json cannot hold losses = \[1\.0, {number}\]: "):
        write_json(tmp_path / "metrics.json", {"losses": [1.0, number]})
    assert tree(tmp_path) == {"metrics.json": '{\n  "kl": 1.0\n}\n'}


def test_an_error_of_the_system_names_the_file_whatever_the_writer_names(tmp_path: Path) -> None:
    with pytest.raises(PermissionError) as failed, whole(tmp_path / "folder"):
        raise OSError(errno.EACCES, "from HDF5, at length", tmp_path / ".part-7-folder/weights.h5")
    assert str(failed.value) == f"[Errno 13] Permission denied: '{tmp_path}/folder'"


def test_an_error_of_a_library_is_left_as_it_is(tmp_path: Path) -> None:
    error = OSError("broken data stream")
    with pytest.raises(OSError, match=r"^broken data stream$") as failed, whole(tmp_path / "file.png"):
        raise error
    assert failed.value is error
