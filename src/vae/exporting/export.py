"""The export: encoder, decoder and a description, each compared with Keras before anything is left on disk."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError
from vae.exporting.description import FILE, describe
from vae.exporting.endpoints import Arrays, Run, endpoints
from vae.exporting.formats import FORMATS
from vae.exporting.whole_folder import check_replaceable, whole_folder
from vae.io.tables import write_json
from vae.model.inputs import choose
from vae.model.runtime import images_at_once
from vae.model.vae import VAE

TOLERANCE = 1e-4
"""The largest absolute difference from Keras that is accepted."""
BATCH_SIZE = 500
Images = NDArray[np.float32]


class Report(NamedTuple):
    """What was exported."""

    folder: Path
    files: dict[str, str]
    """The names of the encoder's and the decoder's file, or folder."""
    images: int
    """The number of images on which both were compared with Keras."""
    differences: dict[str, float]
    """The largest absolute differences from Keras: of `z_mean`, of `z_log_var` and of the pixel means, `images`."""


def export(
    model: VAE,
    folder: Path,
    format: str,  # noqa: A002, the name of the option
    images: Images,
    labels: Any = None,
    *,
    force: bool = False,
) -> Report:
    """Write the encoder and the decoder in a format, with a description, `vae.json`.

    Both are run by the format's own library, on batches of several sizes, and compared with the model in float32.

    Args:
        model: a VAE of any precision.
        folder: the folder that is written, whole or not at all.
        format: a key of `FORMATS`.
        images: (n, height, width, channels), in [0, 1], or binarized if the likelihood binarizes: for the comparison.
        labels: (n,), their labels, if the model is conditional.
        force: whether an earlier export in the folder is replaced.

    Raises:
        InputError: the format is unknown, a package is missing, the folder contains something, the images or labels do
            not fit the model, or an exported function differs from Keras by more than `TOLERANCE`.
    """
    chosen = choose(FORMATS, format, "format")
    model, images = model.in_float32(), model.checked(images)
    labels = model.checked_labels(labels, len(images))
    pair = endpoints(model)
    files = {endpoint.name: f"{endpoint.name}{chosen.SUFFIX}" for endpoint in pair}
    _check_folder(folder, force)
    with whole_folder(folder, _names() if force else ()) as new:
        runs = []
        for endpoint in pair:
            chosen.write(endpoint, new / files[endpoint.name])
            runs.append(chosen.load(new / files[endpoint.name]))
        size = images_at_once(BATCH_SIZE, model.image_shape, model.outputs)
        differences = _compare(model, runs, _batches(images, labels, size))
        _check(differences, format)
        write_json(new / FILE, describe(model, format, pair, files))
    return Report(folder, files, len(images), differences)


def _names() -> set[str]:
    """Return the names that a folder with an export may contain."""
    return {FILE, *(f"{name}{kind.SUFFIX}" for name in ("encoder", "decoder") for kind in FORMATS.values())}


def _check_folder(folder: Path, force: bool) -> None:
    """Refuse a folder that contains something.

    Raises:
        InputError: it contains something, or with `force` something that is no export.
    """
    if (folder / FILE).is_file() and not force:
        raise InputError(f"{folder} contains an export already; --force replaces it.")
    check_replaceable(folder, _names() if force else ())


def _batches(images: Images, labels: Any, size: int) -> Iterator[Arrays]:
    """Yield the images in batches of `size`, and then the first by itself and twice: batches of other sizes."""
    slices = (np.arange(start, min(start + size, len(images))) for start in range(0, len(images), size))
    for rows in chain(slices, (np.array([0]), np.array([0, 0]))):
        yield {"images": images[rows]} | ({} if labels is None else {"labels": labels[rows]})


def _compare(model: VAE, runs: list[Run], batches: Iterator[Arrays]) -> dict[str, float]:
    """Return the largest absolute difference of each output; NaN if one is not finite.

    Args:
        model: the VAE in float32.
        runs: the exported encoder and decoder.
        batches: images and labels.
    """
    encode, decode = runs
    largest = {"z_mean": 0.0, "z_log_var": 0.0, "images": 0.0}
    for batch in batches:
        labels = batch.get("labels")
        z_mean, z_log_var = model.encode(batch["images"], labels=labels)
        latents = {"z": z_mean} | ({} if labels is None else {"labels": labels})
        expected = {"z_mean": z_mean, "z_log_var": z_log_var, "images": model.decode(z_mean, labels=labels)}
        for name, found in (encode(batch) | decode(latents)).items():
            difference = np.abs(found.astype(np.float64) - expected[name]).max()
            largest[name] = float(np.maximum(largest[name], difference))  # which keeps NaN
    return largest


def _check(differences: dict[str, float], format_name: str) -> None:
    """Refuse functions that differ from Keras.

    Raises:
        InputError: a difference is larger than `TOLERANCE`, or NaN.
    """
    for name, difference in differences.items():
        if not difference <= TOLERANCE:
            raise InputError(
                f"the {format_name} export is not written: its {name} differ from Keras by up to {difference:.1e}, but "
                f"at most {TOLERANCE:g} is accepted."
            )
