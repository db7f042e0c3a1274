"""A variational autoencoder in TensorFlow/Keras, run as a DVC pipeline.

`vae.load(path)` opens a trained model, `vae.VAE` is its class. Importing only this package does not import TensorFlow.
"""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae.model.vae import VAE

__all__ = ["VAE", "__version__", "load"]

# Python would print a traceback for Ctrl-C while a script imports TensorFlow, which takes seconds. In this project's
# own scripts, and in no other program, it ends the process at once until `vae.stage.run_stage`.
_script, _sources = Path(sys.argv[0] if sys.argv else "").resolve(), Path(__file__).resolve().parents[1]
_is_ours = _script.suffix == ".py" and _script.parent in (_sources, _sources.parent / "benchmarks")
if (_is_ours or "vae.settings" in sys.orig_argv) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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
