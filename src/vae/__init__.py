"""A variational autoencoder in TensorFlow/Keras, run as a DVC pipeline.

`vae.load(path)` opens a trained model, `vae.VAE` is its class. The other functions have the names of the subcommands of
`vae`. They take images or latent vectors, in files or arrays, and a model. Importing only this package does not import
TensorFlow.
"""

import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae.cli.opening import explore
    from vae.exporting.export import export
    from vae.inference.description import info
    from vae.inference.operations import decode, encode, interpolate, reconstruct, sample, score
    from vae.model.vae import VAE

__all__ = [
    "VAE",
    "__version__",
    "decode",
    "encode",
    "explore",
    "export",
    "info",
    "interpolate",
    "load",
    "reconstruct",
    "sample",
    "score",
]

_PLACES = {
    "VAE": "vae.model.vae",
    "explore": "vae.cli.opening",
    "export": "vae.exporting.export",
    "info": "vae.inference.description",
    **dict.fromkeys(("decode", "encode", "interpolate", "reconstruct", "sample", "score"), "vae.inference.operations"),
}
"""The modules of what takes time to import, and is imported when it is asked for (PEP 562)."""

# Python would print a traceback for Ctrl-C while a script imports TensorFlow, which takes seconds. In this project's
# own scripts, and in no other program, it ends the process at once until `vae.stage.run_stage`.
_script, _sources = Path(sys.argv[0] if sys.argv else "").resolve(), Path(__file__).resolve().parents[1]
_is_ours = _script.suffix == ".py" and _script.parent in (_sources, _sources.parent / "benchmarks")
_is_ours = _is_ours or _script.name == "vae"
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
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    if name == "__version__":
        from importlib import metadata

        return metadata.version("vae-pipeline")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
