"""A contender: a trained model's encoder or decoder, by Keras or by the library that an exported file is for.

`turns.Contender` describes the protocol; a step is a batch of test images.

Usage: python -m benchmarks.export_worker RUNTIME PART BATCH_SIZE MODEL FOLDER

RUNTIME is `keras` or a format of an export, PART is `encode` or `decode`, and FOLDER contains a folder for each format.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vae
from benchmarks.keras_worker import answer
from benchmarks.prepared import prepared
from vae.data.binarization import binarize
from vae.exporting.formats import FORMATS
from vae.model.vae import VAE

PARTS = {"encode": "encoder", "decode": "decoder"}


def some_images(model: VAE, count: int) -> NDArray[np.float32]:
    """Return test images, as often as necessary, as the model takes them."""
    images = prepared("test").images[:count]
    images = images[np.arange(count) % len(images)]
    return binarize(images) if model.likelihood.binarizes else images


def first_labels(model: VAE, count: int) -> NDArray[np.int32] | None:
    """Return the label of the first class for each image, or None if the model is not conditional."""
    return np.zeros(count, np.int32) if model.conditional else None


def work(runtime: str, part: str, batch_size: int, model: VAE, folder: Path) -> Callable[[], Any]:
    """Return a function that encodes or decodes one batch."""
    images, labels = some_images(model, batch_size), first_labels(model, batch_size)
    z, _ = model.encode(images, batch_size, labels=labels)
    if runtime == "keras":
        if part == "encode":
            return lambda: model.encode(images, batch_size, labels=labels)
        return lambda: model.decode(z, batch_size, labels=labels)
    run = FORMATS[runtime].load(folder / runtime / f"{PARTS[part]}{FORMATS[runtime].SUFFIX}")
    arrays: dict[str, NDArray[Any]] = {"images": images} if part == "encode" else {"z": z}
    arrays |= {} if labels is None else {"labels": labels}
    return lambda: run(arrays)


def repeated(one: Callable[[], Any]) -> Callable[[int], float]:
    """Return a function that does the work a number of times, and times that."""

    def run(steps: int) -> float:
        one()
        started = time.perf_counter()
        for _ in range(steps):
            one()
        return time.perf_counter() - started

    return run


def main(runtime: str, part: str, batch_size: int, model: Path, folder: Path) -> None:
    answer(repeated(work(runtime, part, batch_size, vae.load(model).in_float32(), folder)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
