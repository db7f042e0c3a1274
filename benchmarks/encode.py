"""The time of `vae encode` from a file to a file, start-up apart, against Keras's `predict` on the same arrays."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import numpy as np
import pandas as pd
from tqdm import trange

from vae.inference.images import Choices
from vae.inference.operations import encode_rows
from vae.inference.outputs import open_output, write
from vae.model.vae import VAE

IMAGES, BATCH_SIZE = 60_000, 500


def measure(rounds: int = 5) -> dict[str, Any]:
    """Time both in turn, with the model of the default parameters; print and return the results.

    Returns:
        Medians over the rounds: images per second of each, and `ratio`, the time of the command divided by the time
        of `predict`.
    """
    model = VAE((28, 28, 1), 10, seed=0)
    levels = np.random.default_rng(0).integers(0, 256, (IMAGES, *model.image_shape), dtype=np.uint8)
    images = levels.astype(np.float32) / np.float32(255)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "images.npz")
        np.savez(source, images=levels)
        rows = []
        for _ in trange(rounds + 1, desc="encode", disable=None):
            start = perf_counter()
            output = open_output(f"{folder}/latents.npz", force=True)
            write(encode_rows(source, model, Choices(BATCH_SIZE)), output)
            between = perf_counter()
            model.encoder.predict(images, batch_size=BATCH_SIZE, verbose=0)
            rows.append({"vae encode": between - start, "predict": perf_counter() - between})
    seconds = pd.DataFrame(rows[1:])  # the first round traces the functions
    results = {
        "rounds": rounds,
        "images_per_second": {name: float((IMAGES / each).median()) for name, each in seconds.items()},
        "ratio": float((seconds["vae encode"] / seconds["predict"]).median()),
    }
    print(f"{results['images_per_second']}, ratio {results['ratio']:.2f}", flush=True)
    return results
