"""A variational autoencoder in TensorFlow/Keras, run as a DVC pipeline.

`vae.load(path)` opens a trained model, `vae.VAE` is its class. Importing only this package does not import TensorFlow.
"""

from importlib import metadata
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
        return metadata.version("vae-pipeline")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
