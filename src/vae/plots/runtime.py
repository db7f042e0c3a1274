"""Matplotlib, with its own defaults for every stage and notebook once `vae.plots` is imported."""

import os
import sys
from contextlib import chdir, suppress
from importlib.util import find_spec
from pathlib import Path


def _import_matplotlib() -> None:
    """Import Matplotlib without the user's `matplotlibrc`, in which an error could end the import or print warnings.

    Matplotlib looks for that file in the working folder first. Its own is in its folder `mpl-data`.
    """
    spec = find_spec("matplotlib")
    assert spec
    assert spec.origin
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        with chdir(Path(spec.origin).parent / "mpl-data"):
            import matplotlib as mpl
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:  # a notebook's; figures here need none
        with suppress(ValueError):
            mpl.rcParams["backend"] = backend


def _reset() -> None:
    """Give Matplotlib its own defaults, whatever the user has configured: equal data give equal bytes."""
    import matplotlib as mpl

    mpl.rcParams.update({name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"})


if "matplotlib" not in sys.modules:
    _import_matplotlib()
_reset()
