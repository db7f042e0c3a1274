"""The weights that a training starts from, if `train.initial_weights` names a checkpoint."""

from pathlib import Path

from vae.errors import InputError
from vae.model.checkpoint import load_model
from vae.model.vae import VAE
from vae.settings.train import RANDOM_WEIGHTS

SAME = ("architecture", "latent_dim", "likelihood", "prior", "conditional", "image_shape")
"""The parts of a model's configuration that decide which weights it has and what they mean."""


def set_initial_weights(model: VAE, path: Path) -> None:
    """Give an untrained model the weights of a checkpoint, or leave its random weights for `RANDOM_WEIGHTS`.

    Only the weights are taken, not the state of an optimizer: a checkpoint contains none.

    Raises:
        InputError: the file is missing, is not a checkpoint of a VAE, or contains another kind of model.
    """
    if path == Path(RANDOM_WEIGHTS):
        return
    try:
        start = load_model(path, VAE)
    except InputError as error:
        raise InputError(f"train.initial_weights: {error}") from None
    found, wanted = ({"conditional": False} | either.get_config() for either in (start, model))
    for name in (*SAME, *(["class_names"] if model.conditional else [])):
        if found[name] != wanted[name]:
            raise InputError(
                f"train.initial_weights: {path} is a model with {name} {found[name]}, but the model to train has "
                f"{wanted[name]}."
            )
    model.set_weights(start.get_weights())
