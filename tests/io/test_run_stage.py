"""How a stage ends: its exit status and what it prints."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tqdm import tqdm

import vae
from vae.errors import InputError
from vae.io.tables import write_json
from vae.stage import OUTPUT_FOLDERS, run_stage


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


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_stream_is_discarded_and_progress_bars_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    monkeypatch.setattr(sys, closed, None)  # as Python sets it if the descriptor is closed

    def stage() -> None:
        for _ in tqdm(range(3), disable=None):
            pass
        print(f"a terminal: {sys.stdout.isatty()}", file=getattr(sys, closed))
        raise InputError("seed is missing.")

    with pytest.raises(SystemExit) as ended:
        run_stage(stage)
    getattr(sys, closed).close()
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "" if closed == "stderr" else "error: seed is missing.\n")


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


STAGE = """
import vae
import sys, time
from vae.stage import run_stage

{imports}

def main():
    print("started", flush=True)
    {main}

if __name__ == "__main__":
    run_stage(main)
    {after}
"""


def script(folder: Path, imports: str = "", main: str = "", after: str = "pass") -> list[str]:
    """Write a stage with these lines next to a copy of what it imports, and return its command."""
    (folder / "vae").mkdir()
    for name in ("__init__.py", "errors.py", "stage.py"):
        shutil.copy(Path(vae.__file__).with_name(name), folder / "vae")
    path = folder / "stage.py"
    path.write_text(STAGE.format(imports=imports, main=main, after=after), encoding="utf-8")
    return ["env", "-u", "PYTHONUNBUFFERED", sys.executable, str(path)]


PAUSE = "print('waiting', flush=True); time.sleep(60)"
REPLACED = "try: print('trying', flush=True); time.sleep(60)\n    except BaseException: {}"
CLEANING = (
    "try: print('trying', flush=True); time.sleep(60)\n    finally: print('cleaning', flush=True); time.sleep(60)"
)
MOMENTS = {
    "the imports": ({"imports": PAUSE}, ["waiting"], (-signal.SIGINT, "")),
    "the stage": ({"main": PAUSE}, ["waiting"], (130, "interrupted\n")),
    "a library that raises another error": ({"main": REPLACED.format("None.x")}, ["trying"], (130, "interrupted\n")),
    "a library that ignores it": ({"main": REPLACED.format("pass")}, ["trying"], (130, "interrupted\n")),
    "cleaning up": ({"main": CLEANING}, ["trying", "cleaning"], (-signal.SIGINT, "")),
    "the end": ({"after": PAUSE}, ["waiting"], (-signal.SIGINT, "")),
}


@pytest.mark.parametrize(("lines", "moments", "ends"), MOMENTS.values(), ids=MOMENTS)
def test_ctrl_c_ends_a_process_without_a_traceback(
    tmp_path: Path, lines: dict[str, str], moments: list[str], ends: tuple[int, str]
) -> None:
    with subprocess.Popen(script(tmp_path, **lines), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        for moment in moments:
            while moment not in process.stdout.readline().decode():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors.decode()) == ends


SCRIPTS = [[str(path)] for path in sorted(Path(vae.__file__).parents[1].glob("*.py"))]
MODULES = [["-m", name] for name in ("vae.settings", "benchmarks", "benchmarks.seeds", "benchmarks.effects")]


@pytest.mark.parametrize("command", [*SCRIPTS, *MODULES], ids=lambda command: Path(command[-1]).name)
def test_ctrl_c_while_a_script_imports_prints_nothing(root: Path, tmp_path: Path, command: list[str]) -> None:
    for name in ("numpy", "pydantic"):  # the first of the packages that a script imports stands for all
        (tmp_path / f"{name}.py").write_text("import time; print('importing', flush=True); time.sleep(60)")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, root / "src", root)))}
    with subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"importing\n"
        process.send_signal(signal.SIGINT)
        output = process.communicate()
    assert (process.returncode, *output) == (-signal.SIGINT, b"", b"")


def test_the_package_leaves_ctrl_c_to_other_programs(tmp_path: Path, root: Path) -> None:
    (tmp_path / "tool").mkdir()
    for name in ("__init__", "__main__"):
        code = "import signal, vae; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
        (tmp_path / f"tool/{name}.py").write_text(code)
    env = os.environ | {"PYTHONPATH": str(root / "src")}
    done = subprocess.run([sys.executable, "-m", "tool"], cwd=tmp_path, env=env, capture_output=True)
    assert (done.stdout, done.stderr) == (b"True\nTrue\n", b"")


def test_importing_the_package_and_running_a_stage_leave_ctrl_c_to_a_notebook() -> None:
    run_stage(lambda: None)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_ctrl_c_stays_ignored(tmp_path: Path) -> None:
    main = "import signal; print(signal.getsignal(signal.SIGINT).name)"
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *script(tmp_path, main=main)], capture_output=True
    )
    assert (done.stdout, done.stderr) == (b"started\nSIG_IGN\n", b"")


GONE = "import select; poll = select.poll(); poll.register(1, 0); poll.poll()  # until the reader has gone\n    "
LINES = GONE + "for i in range(9999): print(i, flush={flush})"
PIPES = {
    "flushed lines": (LINES.format(flush=True), "2>/dev/null | head -n 1", "141"),
    "buffered lines": (LINES.format(flush=False), "| head -n 1", "141"),
    "the end": (GONE + "print('the last line')", "| head -n 1", "141"),
    "both streams": (GONE + "print('done', file=sys.stderr)", "2>&1 | head -n 1", "141"),
    "an error": (
        GONE + "print('done', end=''); from vae.errors import InputError; raise InputError('x')",
        "2>&1 | head -n 1",
        "1",
    ),
    "closed": ("print(sys.stdout.isatty())", ">&-", "0"),
    "both closed": ("print('done'); print('done', file=sys.stderr)", ">&- 2>&-", "0"),
}


@pytest.mark.parametrize(("main", "streams", "status"), PIPES.values(), ids=PIPES)
def test_a_stage_whose_reader_goes_away_ends_quietly(tmp_path: Path, main: str, streams: str, status: str) -> None:
    # The status is written where no stream is needed.
    line = f'{{ "$@"; echo $? > status; }} {streams}'
    done = subprocess.run(["sh", "-c", line, "sh", *script(tmp_path, main=main)], cwd=tmp_path, capture_output=True)
    assert done.stderr == b""
    assert done.stdout == (b"started\n" if "head" in streams else b"")
    assert (tmp_path / "status").read_text() == f"{status}\n"


@pytest.mark.parametrize("main", ["pass", "print('a late line')"])
def test_a_full_stdout_is_reported_in_one_line(tmp_path: Path, main: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(script(tmp_path, main=main), stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "error: No space left on device.\n")


def test_another_broken_pipe_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_stage(raises(BrokenPipeError(errno.EPIPE, "a socket", "address")))
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: address: Broken pipe.\n"


@pytest.mark.parametrize("folder", OUTPUT_FOLDERS)
def test_a_link_instead_of_an_output_folder_is_refused_before_the_stage_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(folder).parent.mkdir(exist_ok=True)
    Path(folder).symlink_to(tmp_path / "disk", target_is_directory=True)
    with pytest.raises(SystemExit) as ended:
        run_stage(raises(AssertionError()))
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {folder} is a symbolic link, but ")


def test_links_to_raw_data_and_to_output_files_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/prepared").mkdir(parents=True)
    Path("data/raw").symlink_to(tmp_path / "disk")
    Path("data/prepared/train.npz").symlink_to(tmp_path / "cache/00")
    run_stage(lambda: None)


def test_the_output_folders_are_those_in_dvc_yaml(root: Path) -> None:
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outputs = [
        Path(out if isinstance(out, str) else next(iter(out)))
        for stage in stages.values()
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, [])
    ]
    folders = {str(folder) for out in outputs for folder in out.parents}
    assert folders - {"."} == set(OUTPUT_FOLDERS)
