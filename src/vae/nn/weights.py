"""A trained model on disk: a folder with the weights and with what is needed to build the model they fit.

Unlike a `.keras` file, which embeds its date, equal weights give equal bytes: to DVC, a model that did not change.
"""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from vae.errors import InputError
from vae.files import whole, write_json

CONFIG = "config.json"


class _WeightsFile(io.BytesIO):
    """A file in memory for Keras, which goes by the name: HDF5 crashes the process where a disk is full."""

    def __str__(self) -> str:
        return "memory.weights.h5"


def save_model(model: keras.Model, path: Path, build: Callable[..., keras.Model], config: dict[str, Any]) -> None:
    """Write the folder `path`, whole or not at all.

    Args:
        model: its weights are written to `<name of the model>.weights.h5`.
        path: of the folder.
        build: a function that makes an untrained model of the same kind, with the same random state at each call.
        config: the arguments of `build`, written to `config.json`.
    """
    with whole(path) as folder:
        folder.mkdir()
        write_json(folder / CONFIG, config)
        # A model of its own, never compiled: the weights alone, without the state of optimizer and metrics.
        bare = build(**config)
        bare.set_weights(model.get_weights())
        weights = _WeightsFile()
        bare.save_weights(weights)
        (folder / f"{bare.name}.weights.h5").write_bytes(weights.getbuffer())


def load_model(path: Path, build: Callable[..., keras.Model], stage: str) -> keras.Model:
    """The model that `save_model` wrote, with its weights.

    Args:
        path: of the folder.
        build: as in `save_model`.
        stage: the one that makes the folder, named where it is missing.

    Raises:
        InputError: the folder is missing, or is not what `save_model` writes for this kind of model.
    """
    missing = path / CONFIG
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
        model = build(**config)
        missing = path / f"{model.name}.weights.h5"
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras's for weights that it did not find
            model.load_weights(missing)
    except FileNotFoundError:
        raise InputError(f"{missing} is missing; `dvc repro {stage}` makes it.") from None
    except (OSError, ValueError, KeyError, TypeError, UserWarning) as error:
        raise InputError(f"{path} is not a checkpoint of this model: {' '.join(str(error).split())}") from None
    return model
