"""How a stage ends."""

import errno
from pathlib import Path

import pytest

from vae.errors import InputError, run_stage
from vae.files import write_json


def test_a_stage_that_succeeds_returns_silently(capsys: pytest.CaptureFixture[str]) -> None:
    run_stage(lambda: None)
    assert capsys.readouterr() == ("", "")


def test_an_input_error_is_one_line_on_stderr_and_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    def stage() -> None:
        raise InputError("seed is missing.")

    with pytest.raises(SystemExit) as ended:
        run_stage(stage)
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "error: seed is missing.\n")


ENVIRONMENT = {
    "folder": (".", "Is a directory"),
    "name": ("x" * 256, "File name too long"),
    "parent": ("file/name", "File exists"),
}


@pytest.mark.parametrize(("place", "reason"), ENVIRONMENT.values(), ids=ENVIRONMENT)
def test_what_the_system_refuses_is_one_line_with_the_name_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        run_stage(lambda: write_json(tmp_path / place, {"kl": 1.0}))
    assert ended.value.code == 1
    named = tmp_path / ("file" if place == "file/name" else place)
    assert capsys.readouterr() == ("", f"error: {named}: {reason}.\n")


def test_an_error_of_the_system_without_a_file_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    def stage() -> None:
        raise OSError(errno.ENOSPC, "whatever")  # from standard output, sent to a file

    with pytest.raises(SystemExit) as ended:
        run_stage(stage)
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "error: No space left on device.\n")


def test_an_interrupt_is_one_word_and_status_130(capsys: pytest.CaptureFixture[str]) -> None:
    def stage() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        run_stage(stage)
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "interrupted\n")


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_any_other_exception_keeps_its_traceback(capsys: pytest.CaptureFixture[str], error: type[Exception]) -> None:
    def stage() -> None:
        raise error("a bug")

    with pytest.raises(error, match=r"^a bug$"):
        run_stage(stage)
    assert capsys.readouterr() == ("", "")
