"""The file of a trained model, read without TensorFlow, whose import takes seconds."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from vae.errors import InputError

MODEL = Path("models/vae.keras")
"""The model that the pipeline trains."""


class ModelFile(NamedTuple):
    """What the file of a VAE says."""

    config: dict[str, Any]
    """The arguments of `vae.VAE`, without those that had their default value and are newer than the first files."""
    parameters: int
    """The number of weights."""
    keras: str
    """The version of Keras that wrote it."""
    md5: str
    """Its checksum, by which DVC knows it."""


def read_model_file(path: Path) -> ModelFile:
    """Return what the file of a VAE says about the model.

    Raises:
        InputError: the file is missing, damaged, or not a VAE.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        makes = "; `dvc repro train` makes it, or `dvc pull` fetches it" if path == MODEL else ""
        raise InputError(f"{path} is missing{makes}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            saved = json.loads(archive.read("config.json"))
            metadata = json.loads(archive.read("metadata.json"))
            weights = archive.read("model.weights.h5")
        kind, config, keras = saved["registered_name"], saved["config"], metadata["keras_version"]
        parameters = _count(weights)
    except Exception as error:  # zipfile, zlib, json and h5py raise a dozen kinds for damaged files
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"{path} is not a model that this project saved ({reason}).") from None
    if kind != "vae>VAE":
        raise InputError(f"{path} is not a VAE of this project, but a {kind or saved.get('class_name')}.")
    return ModelFile(config, parameters, keras, hashlib.md5(content, usedforsecurity=False).hexdigest())


def _count(weights: bytes) -> int:
    """Return the number of floating-point values in an HDF5 file; the states of random generators are integers."""
    total = 0

    def add(_: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            total += item.size

    with h5py.File(io.BytesIO(weights), "r") as file:
        file.visititems(add)
    return total
