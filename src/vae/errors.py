"""Mistakes that a user can mend, told in one sentence instead of a traceback."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """A setting, file or server is not as it must be; the message says which, and what would be right."""


def run_stage(main: Callable[[], None]) -> None:
    """Call a stage's `main`; an `InputError` ends the process with its message and exit status 1."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
