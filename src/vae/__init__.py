"""A variational autoencoder in TensorFlow/Keras, run as a DVC pipeline.

`vae.load(path)` opens a trained model, `vae.VAE` is its class. Importing only this package does not import TensorFlow.
"""

import sys
from os.path import realpath

# In a script next to this package, and while Python imports the packages for `python -m vae.settings`, Ctrl-C ends the
# process at once, where it would print a traceback, until `vae.stage.run_stage`. Nowhere else does this change it.
if sys.argv[:1] == ["-m"] or (
    sys.argv[0].endswith(".py") and realpath(sys.argv[0]).rsplit("/", 1)[0] == realpath(__file__).rsplit("/", 2)[0]
):
    import _signal as signal  # type: ignore[import-not-found]  # loaded already; `signal` would take milliseconds

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # otherwise ignored, as in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae.model.vae import VAE

__all__ = ["VAE", "__version__", "load"]


def load(path: Path | str = "models/vae.keras") -> "VAE":
    """Return a trained VAE.

    Raises:
        vae.errors.InputError: the file is missing, damaged, or not a VAE.
    """
    from vae.model.checkpoint import load_model
    from vae.model.vae import VAE

    return load_model(path, VAE, stage="train")


def __getattr__(name: str) -> Any:
    """Import what takes time only when it is asked for (PEP 562)."""
    if name == "VAE":
        from vae.model.vae import VAE

        return VAE
    if name == "__version__":
        from importlib import metadata

        return metadata.version("vae-pipeline")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
