"""Open the page in a browser."""

import webbrowser
from pathlib import Path

from vae.errors import InputError

PAGE = Path("reports/explorer.html")
"""The page that the stage `explore` makes."""


def explore(page: Path | str = PAGE) -> bool:
    """Open the page on which to explore a model, and return whether there is a browser to open it in.

    Args:
        page: its file. By default, this is the page of the pipeline's model.

    Raises:
        InputError: the page does not exist.
    """
    return webbrowser.open(address(page))


def address(page: Path | str = PAGE) -> str:
    """Return the address of the page for a browser.

    Raises:
        InputError: the page does not exist.
    """
    path = Path(page)
    if not path.is_file():
        raise InputError(f"{path} is missing{'; `dvc repro explore` makes it' if path == PAGE else ''}.")
    return path.resolve().as_uri()
