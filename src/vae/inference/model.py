"""The model that the user means: a trained VAE, or the path of its file."""

from pathlib import Path

from vae.model.checkpoint import load_model
from vae.model.vae import VAE

MODEL = Path("models/vae.keras")
"""The model that the pipeline trains."""
Model = VAE | Path | str


def open_model(model: Model = MODEL) -> VAE:
    """Return the model, read from its file if it is a path.

    Raises:
        InputError: the file is missing, damaged, not a VAE, or of another version of this project.
    """
    if isinstance(model, VAE):
        return model
    return load_model(model, VAE, stage="train" if Path(model) == MODEL else None)
