"""The folder of downloads, outside the checkout, so that every checkout and temporary copy finds them."""

import os
from pathlib import Path

from platformdirs import user_cache_path

from vae.errors import InputError

VARIABLE = "VAE_CACHE_DIR"
"""The environment variable that names another folder."""


def cache_folder() -> Path:
    """Return the folder of downloads, which need not exist.

    It is the one that `VAE_CACHE_DIR` names, or else `vae-pipeline` in the user's cache folder, which is `~/.cache` or
    `XDG_CACHE_HOME` on Linux. An empty variable counts as unset. A `~` at its start is the home folder. A relative path
    is refused: DVC runs experiments in temporary folders, where it would name a different folder each time.

    Raises:
        InputError: the variable's path is relative, or the home folder is needed but unknown.
    """
    named = os.environ.get(VARIABLE)
    try:
        path = Path(named).expanduser() if named else user_cache_path("vae-pipeline")
    except RuntimeError:  # of both
        raise InputError(
            f"The home folder is unknown; {VARIABLE} must name a folder for downloads by an absolute path."
        ) from None
    if not path.is_absolute():
        raise InputError(f"{VARIABLE} is {named!r}, but must be an absolute path, or start with ~.")
    return path
