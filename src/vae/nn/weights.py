"""A trained model on disk: a folder with the weights and with what is needed to build the model they fit.

Unlike a `.keras` file, which embeds its date, equal weights give equal bytes: to DVC, a model that did not change.
And no bit of it can change unseen: HDF5 as Keras writes it has no checksums, and would load other weights.
"""

import hashlib
import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vae.errors import InputError
from vae.files import whole, write_json

CONFIG = "config.json"
WEIGHTS = "{}.weights.h5"


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
        config: the arguments of `build`, written to `config.json` with the SHA-256 of themselves and the weights.

    Raises:
        InputError: a weight is NaN or infinite, which `load_model` would refuse.
    """
    if not _is_finite(model):
        raise InputError(
            f"{path} is not written: weights of the trained model are NaN or infinite; try a lower learning rate."
        )
    with whole(path) as folder:
        folder.mkdir()
        # A model of its own, never compiled: the weights alone, without the state of optimizer and metrics.
        bare = build(**config)
        bare.set_weights(model.get_weights())
        file = _WeightsFile()
        bare.save_weights(file)
        weights = file.getvalue()
        (folder / WEIGHTS.format(bare.name)).write_bytes(weights)
        write_json(folder / CONFIG, config | {"sha256": _sha256(config, weights)})


def load_model(path: Path, build: Callable[..., keras.Model], name: str, stage: str) -> keras.Model:
    """The model that `save_model` wrote, with its weights.

    The checksum comes first: what is damaged is neither built nor read by HDF5.

    Args:
        path: of the folder.
        build: as in `save_model`.
        name: of the model.
        stage: the one that makes the folder, named where it is missing or wrong.

    Raises:
        InputError: the folder is missing, or is not what `save_model` writes for this kind of model.
    """
    weights = path / WEIGHTS.format(name)
    try:
        config, content = json.loads((path / CONFIG).read_bytes()), weights.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is missing; `dvc repro {stage}` makes it.") from None
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise _wrong(path, f"{CONFIG} is not JSON", stage) from None
    if not isinstance(config, dict) or "sha256" not in config:
        raise _wrong(path, f"{CONFIG} has no 'sha256'", stage)
    if config.pop("sha256") != _sha256(config, content):
        raise _wrong(path, f"it was changed or damaged, as the SHA-256 in {CONFIG} shows", stage)
    try:
        model = build(**config)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras's for weights that it did not find
            model.load_weights(weights)
    except (KeyError, TypeError, ValueError, UserWarning):
        raise _wrong(path, "it is of another architecture", stage) from None
    if not _is_finite(model):
        raise _wrong(path, "it has weights that are NaN or infinite", stage)
    return model


def _is_finite(model: keras.Model) -> bool:
    return all(np.isfinite(values).all() for values in model.get_weights())


def _sha256(config: dict[str, Any], weights: bytes) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode() + weights).hexdigest()


def _wrong(path: Path, what: str, stage: str) -> InputError:
    return InputError(f"{path} is not a checkpoint of this model: {what}; `dvc repro {stage}` makes it anew.")
