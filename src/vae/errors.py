"""Mistakes that a user can mend, told in one sentence instead of a traceback."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn


class InputError(Exception):
    """A setting, file or server is not as it must be; the message says which, and what would be right."""


def run_stage(main: Callable[[], None]) -> None:
    """Call a stage's `main`, and end the process as its user may expect.

    An `InputError` ends it with its message and exit status 1; so does what the operating system refuses, a full disk
    or a file that may not be written, with the file's name. An interrupt ends it with status 130, as shells have it.
    Any other exception is a bug, and keeps its traceback.
    """
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
