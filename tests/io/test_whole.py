"""Files that are whole or absent, whatever happens to the process that writes them."""

import errno
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from vae.io.whole import HOST, whole

Run = Callable[..., subprocess.CompletedProcess[str]]


def tree(folder: Path) -> dict[str, str]:
    """Return every file in the folder, hidden ones too, with its text."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    with whole(tmp_path / "a/b/file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"a/b/file.txt": "new"}


def test_a_file_replaces_the_former_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("former")
    with whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "former"
        assert (part.parent, part.suffix) == (path.parent, path.suffix)
    assert tree(tmp_path) == {"file.txt": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_only_the_former_file_is_left(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "file.txt").write_text("former")

    def write_half() -> None:
        with whole(tmp_path / "file.txt") as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert tree(tmp_path) == {"file.txt": "former"}


def test_a_writer_that_writes_nothing_leaves_the_former_file(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("former")
    with pytest.raises(FileNotFoundError), whole(tmp_path / "file.txt"):
        pass
    assert tree(tmp_path) == {"file.txt": "former"}


KILLED = """
import os, signal, sys
from pathlib import Path
from vae.io.whole import whole

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

with whole(Path("out.txt")) as part:
    part.write_text("new")
    if sys.argv[-1] == "writing":
        kill()
    replace = os.replace
    Path.replace = lambda *paths: [replace(*paths), kill()]
"""


@pytest.mark.parametrize(("moment", "left"), [("writing", "former"), ("renaming", "new")])
def test_a_kill_leaves_a_whole_file_and_the_next_write_cleans_up(
    run_python: Run, tmp_path: Path, moment: str, left: str
) -> None:
    (tmp_path / "out.txt").write_text("former")
    done = run_python(f"import sys; sys.argv.append({moment!r})\n{KILLED}", tmp_path)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    assert (tmp_path / "out.txt").read_text() == left
    assert len(tree(tmp_path)) == (2 if moment == "writing" else 1)

    with whole(tmp_path / "out.txt") as part:
        part.write_text("next")
    assert tree(tmp_path) == {"out.txt": "next"}


OTHERS = {
    "another running process": f".part-{HOST}-{os.getppid()}-file.txt",
    "another machine": ".part-elsewhere-0-file.txt",
    "another file": f".part-{HOST}-0-other.txt",
    "another program": f".part-{HOST}-x-file.txt",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_temporary_file_that_is_not_a_leftover_stays(tmp_path: Path, other: str) -> None:
    (tmp_path / other).write_text("being written")
    with whole(tmp_path / "file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"file.txt": "new", other: "being written"}


def test_git_ignores_what_a_kill_leaves(root: Path) -> None:
    ignored = ["git", "check-ignore", "reports/.part-7-metrics.json", "data/raw/mnist/.part-7-x"]
    assert subprocess.run(ignored, cwd=root, capture_output=True, text=True).stdout.splitlines() == ignored[2:]


def test_the_contents_are_on_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, flushed = tmp_path / "file.txt", []

    def flush(descriptor: int, real: Callable[[int], None] = os.fsync) -> None:
        assert not path.exists()
        real(descriptor)
        flushed.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", flush)
    with whole(path) as part:
        part.write_text("new")
    assert flushed == [path.stat().st_ino]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF], ids=os.strerror)
def test_a_file_is_written_where_the_file_system_cannot_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", fails(number))
    with whole(tmp_path / "file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"file.txt": "new"}


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT], ids=os.strerror)
def test_contents_that_do_not_reach_the_disk_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "file.txt").write_text("former")
    monkeypatch.setattr(os, "fsync", fails(number))
    with pytest.raises(OSError, match=os.strerror(number)), whole(tmp_path / "file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"file.txt": "former"}


def fails(number: int) -> Callable[[int], None]:
    """Return an `os.fsync` that fails."""

    def flush(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    return flush


def test_an_error_of_the_system_names_the_file_whatever_the_writer_names(tmp_path: Path) -> None:
    with pytest.raises(PermissionError) as failed, whole(tmp_path / "model.keras"):
        raise OSError(errno.EACCES, "a long message from a library", tmp_path / ".part-7-model.keras")
    assert str(failed.value) == f"[Errno 13] Permission denied: '{tmp_path}/model.keras'"


def test_an_error_of_a_library_is_unchanged(tmp_path: Path) -> None:
    error = OSError("broken data stream")
    with pytest.raises(OSError, match=r"^broken data stream$") as failed, whole(tmp_path / "file.png"):
        raise error
    assert failed.value is error
