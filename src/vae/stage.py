"""The frame of a stage script and of `vae`: exit status, messages, Ctrl-C, closed streams, and where outputs may be."""

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from vae.errors import InputError

OUTPUT_FOLDERS = ("data", "data/embeddings", "data/evaluation", "data/prepared", "models", "reports", "reports/details")
"""The folders of all outputs in `dvc.yaml`, and the folders that contain them."""
INTERRUPTED, READER_GONE = 130, 141  # as a shell reports the end of a program by SIGINT and by SIGPIPE


def run_stage(main: Callable[[], None]) -> None:
    """Call the `main` of a stage as `run_program` does, unless an output would be behind a symbolic link."""

    def stage() -> None:
        _refuse_links()
        main()

    run_program(stage)


def run_program(main: Callable[[], None]) -> None:
    """Call the `main` of a program, and report errors that the user can fix on stderr, without a traceback.

    The exit status is 1 after an `InputError`. It is also 1 after an error of the operating system, such as a full disk
    or a file without write permission; the message names the file. After an interrupt it is 130, as in a shell. If the
    reader of a pipe has gone away, as `head` does, the program ends without a message and the status is 141. Any other
    exception is a bug and keeps its traceback.
    """
    _open_closed_streams()
    try:
        with _interrupts():
            main()
            sys.stdout.flush()  # here, where an error is still reported
    except InputError as error:
        _end(f"error: {error}", status=1)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            _end("", status=READER_GONE)
        if error.errno is None:  # raised by a library, not by the operating system
            raise
        _end(f"error: {f'{error.filename}: ' if error.filename else ''}{os.strerror(error.errno)}.", status=1)
    except KeyboardInterrupt:
        _end("interrupted", status=INTERRUPTED)


def _open_closed_streams() -> None:
    """Discard what is written to a closed stream, where progress bars, Keras and `print` would otherwise fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115, stays open


@contextmanager
def _interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt at Ctrl-C during the block, and let it end the process afterwards.

    So it is in scripts, where `vae/__init__.py` has let it end the process before, too; elsewhere nothing changes. A
    second Ctrl-C ends the process at once: it would interrupt the cleaning up, and print a traceback.

    A library may catch the exception or raise another one instead, as TensorFlow may while it traces a graph. The block
    ends with KeyboardInterrupt nevertheless.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_DFL:
        yield
        return

    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGINT, interrupt)
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if interrupted:
            raise KeyboardInterrupt


def _refuse_links() -> None:
    """Refuse links instead of the folders of outputs: DVC would, but only after the stage has run.

    Raises:
        InputError: one of `OUTPUT_FOLDERS` is a symbolic link.
    """
    for folder in OUTPUT_FOLDERS:
        if Path(folder).is_symlink():
            raise InputError(
                f"{folder} is a symbolic link, but DVC keeps no outputs behind one: replace it by a folder, and move "
                "DVC's cache to the other disk instead, as docs/troubleshooting.md describes."
            )


def _reader_is_gone() -> bool:
    """Return whether nobody reads stdout or stderr any more. Other pipes and sockets can break, too."""
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)  # errors are always reported
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _end(message: str, status: int) -> NoReturn:
    with suppress(OSError):  # nobody reads it
        if message:
            print(message, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Python would try again at its end, report that and change the status
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(status)
