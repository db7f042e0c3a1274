"""The packages that only an export needs."""

import importlib
from typing import Any

from vae.errors import InputError


def require(module: str, package: str) -> Any:
    """Return a module of an optional package.

    Raises:
        InputError: the package is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == module.split(".")[0]
        why = "is not installed" if missing else f"cannot be imported ({error})"
        raise InputError(
            f"{package}, which the export needs, {why}: run make export-packages in this project's repository, or "
            "pip install '.[export]' in a clone of it."
        ) from None
