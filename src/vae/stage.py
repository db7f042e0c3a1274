"""The frame of a stage script: exit status and messages."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from vae.errors import InputError


def run_stage(main: Callable[[], None]) -> None:
    """Call the `main` of a stage, and report errors that the user can fix on stderr, without a traceback.

    The exit status is 1 after an `InputError`. It is also 1 after an error of the operating system, such as a full disk
    or a file without write permission; the message names the file. After an interrupt it is 130, as in a shell. Any
    other exception is a bug and keeps its traceback.
    """
    if sys.stderr is None:  # closed: progress bars would fail, and `print` would write to stdout
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115, stays open like stderr
    try:
        main()
    except InputError as error:
        _end(f"error: {error}", status=1)
    except OSError as error:
        if error.errno is None:  # raised by a library, not by the operating system
            raise
        _end(f"error: {f'{error.filename}: ' if error.filename else ''}{os.strerror(error.errno)}.", status=1)
    except KeyboardInterrupt:
        _end("interrupted", status=130)


def _end(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)
