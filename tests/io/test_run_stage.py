"""How a stage ends: its exit status and what it prints."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tqdm import tqdm

from vae.errors import InputError
from vae.io.tables import write_json
from vae.stage import run_stage


def raises(error: BaseException) -> Callable[[], None]:
    def stage() -> None:
        raise error

    return stage


def test_a_stage_that_succeeds_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run_stage(lambda: None)
    assert capsys.readouterr() == ("", "")


FULL = OSError(errno.ENOSPC, "a message that depends on the locale")  # without a file: from writing to stdout
ENDS = {
    "input error": (InputError("seed is missing."), 1, "error: seed is missing."),
    "system error": (FULL, 1, "error: No space left on device."),
    "interrupt": (KeyboardInterrupt(), 130, "interrupted"),
}


@pytest.mark.parametrize(("error", "status", "line"), ENDS.values(), ids=ENDS)
def test_an_error_that_a_user_can_fix_is_one_line_on_stderr(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int, line: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_stage(raises(error))
    assert ended.value.code == status
    assert capsys.readouterr() == ("", f"{line}\n")


def test_without_stderr_nothing_goes_to_stdout_and_progress_bars_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", None)  # as Python sets it if the descriptor is closed

    def stage() -> None:
        for _ in tqdm(range(3), disable=None):
            pass
        print("a message", file=sys.stderr)
        raise InputError("seed is missing.")

    with pytest.raises(SystemExit) as ended:
        run_stage(stage)
    sys.stderr.close()
    assert ended.value.code == 1
    assert capsys.readouterr().out == ""


PLACES = {
    "a folder": (".", ".", "Is a directory"),
    "a long name": ("x" * 256, "x" * 256, "File name too long"),
    "a file for a folder": ("file/name", "file", "File exists"),
}


@pytest.mark.parametrize(("place", "named", "reason"), PLACES.values(), ids=PLACES)
def test_an_error_of_the_system_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, named: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        run_stage(lambda: write_json(tmp_path / place, {"kl": 1.0}))
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", f"error: {tmp_path / named}: {reason}.\n")


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError("a bug")], ids=repr)
def test_any_other_exception_keeps_its_traceback(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    with pytest.raises(type(error), match=r"^a bug$"):
        run_stage(raises(error))
    assert capsys.readouterr() == ("", "")
