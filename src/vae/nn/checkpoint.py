"""A trained model on disk: a folder with the weights and with what is needed to build the model they fit.

Unlike a `.keras` file, which embeds its date, equal weights give equal bytes: to DVC, a model that did not change.
"""

import json
import warnings
from pathlib import Path

from vae.errors import InputError
from vae.files import whole, write_json
from vae.nn.model import VAE

CONFIG, WEIGHTS = "config.json", "vae.weights.h5"


def save_checkpoint(model: VAE, path: Path) -> None:
    """Write the folder `path`, whole or not at all."""
    with whole(path) as folder:
        folder.mkdir()
        write_json(folder / CONFIG, {"latent_dim": model.latent_dim})
        # A model of its own, never compiled: the weights alone, without the state of optimizer and metrics.
        bare = VAE(model.latent_dim, seed=0)
        bare.set_weights(model.get_weights())
        bare.save_weights(folder / WEIGHTS)


def load_checkpoint(path: Path | str) -> VAE:
    """The model with its trained weights.

    Raises:
        InputError: the folder is missing, or is not what `save_checkpoint` writes.
    """
    path = Path(path)
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
        model = VAE(latent_dim=config["latent_dim"])
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras's for weights that it did not find
            model.load_weights(path / WEIGHTS)
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or path / WEIGHTS} is missing; `dvc repro train` makes it.") from None
    except (OSError, ValueError, KeyError, TypeError, UserWarning) as error:
        raise InputError(f"{path} is not a checkpoint of this model: {' '.join(str(error).split())}") from None
    return model
