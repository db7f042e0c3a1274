"""A trained model on disk: a `.keras` file that `keras.models.load_model` opens once the model's module is imported.

Keras writes the date into the files that it saves. Here the date is fixed: equal weights give equal bytes, so that DVC
sees an unchanged model.
"""

import json
import warnings
import zipfile
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np

from vae.errors import InputError
from vae.io.whole import whole

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every entry in the archive: the earliest that a ZIP file can express."""
METADATA = "metadata.json"
Model = TypeVar("Model", bound=keras.Model)


def save_model(model: keras.Model, path: Path | str) -> None:
    """Write the model without its optimizer, whole or not at all.

    Raises:
        InputError: a weight is NaN or infinite, which `load_model` would refuse.
    """
    path = Path(path)
    if not _is_finite(model):
        raise InputError(
            f"{path} is not written: weights of the trained model are NaN or infinite; try a lower learning rate."
        )
    # A fresh model, never compiled: it has no state of an optimizer, of metrics or of a random generator in use.
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    with whole(path) as part:
        bare.save(part)
        _remove_dates(part)


def _remove_dates(path: Path) -> None:
    """Rewrite a `.keras` file with fixed dates in its entries and in its metadata."""
    with zipfile.ZipFile(path) as archive:
        contents = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    contents[METADATA] = json.dumps(json.loads(contents[METADATA]) | {"date_saved": "1980-01-01@00:00:00"}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)


def load_model(path: Path | str, kind: type[Model], stage: str | None = None) -> Model:
    """Return the model that `save_model` wrote.

    Args:
        path: the file.
        kind: the class of the model.
        stage: the stage that makes the file, named where the file is missing or wrong; None if the user chose the file.

    Raises:
        InputError: the file is missing, damaged, or not a model of that class.
    """
    path = Path(path)
    _check_archive(path, stage)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras's warning about missing weights
            model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises a dozen kinds for a file with other contents
        raise _wrong(path, f"Keras cannot load it ({_reason(error)})", stage) from None
    if not isinstance(model, kind):
        raise _wrong(path, f"it contains a {type(model).__name__}, not a {kind.__name__}", stage)
    if not _is_finite(model):
        raise _wrong(path, "it has weights that are NaN or infinite", stage)
    return model


def _check_archive(path: Path, stage: str | None) -> None:
    """Verify the checksums in the file, so that HDF5 never reads damaged bytes.

    Raises:
        InputError: the file is missing, unreadable or damaged.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path} is missing{f'; `dvc repro {stage}` makes it' if stage else ''}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        with file, zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except Exception as error:  # zipfile, zlib, bz2 and lzma raise a dozen kinds for damaged files
        raise _wrong(path, f"it is damaged or not a .keras file ({_reason(error)})", stage) from None
    if damaged:
        raise _wrong(path, f"its part {damaged!r} is damaged", stage)


def _reason(error: Exception) -> str:
    """Return the beginning of the error's message."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _is_finite(model: keras.Model) -> bool:
    return all(np.isfinite(values).all() for values in model.get_weights())


def _wrong(path: Path, what: str, stage: str | None) -> InputError:
    if stage is None:
        return InputError(f"{path} is not a model that this project saved: {what}.")
    return InputError(f"{path} is not a model that `dvc repro {stage}` made: {what}; that command makes it again.")
