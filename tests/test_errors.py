"""How a stage ends."""

import pytest

from vae.errors import InputError, run_stage


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


def test_any_other_exception_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def stage() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match=r"^a bug$"):
        run_stage(stage)
    assert capsys.readouterr() == ("", "")
