"""The checkpoint of a trained VAE: the folder of `vae.nn.weights`, with the number of latent dimensions."""

from pathlib import Path

from vae.nn.model import VAE
from vae.nn.weights import load_model, save_model


def save_checkpoint(model: VAE, path: Path) -> None:
    """Write the folder `path`, whole or not at all."""
    save_model(model, path, _build, {"latent_dim": model.latent_dim})


def load_checkpoint(path: Path | str) -> VAE:
    """The model with its trained weights.

    Raises:
        InputError: the folder is missing, or is not what `save_checkpoint` writes.
    """
    model: VAE = load_model(Path(path), _build, name="vae", stage="train")
    return model


def _build(latent_dim: int) -> VAE:
    return VAE(latent_dim, seed=0)
