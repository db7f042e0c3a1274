"""Small models, and exported files, run by the libraries that they are for."""

import vae.model  # noqa: F401, before TensorFlow

# isort: split
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from vae.exporting.endpoints import Arrays, Run
from vae.model.vae import VAE

SIZE = 12


@cache
def small_vae(channels: int = 1, **settings: Any) -> VAE:
    """Return a model whose weights are all random: some start at zero. Not to be changed."""
    model = VAE((SIZE, SIZE, channels), 3, seed=0, **settings)
    rng = np.random.default_rng(0)
    weights = [w + 0.03 * rng.standard_normal(w.shape) if w.dtype == np.float32 else w for w in model.get_weights()]
    model.set_weights(weights)
    return model


def noise(count: int, channels: int = 1, binary: bool = False) -> NDArray[np.float32]:
    """Return images, (count, 12, 12, channels), of levels k/255, or of 0 and 1."""
    levels = np.random.default_rng(count).integers(256, size=(count, SIZE, SIZE, channels)) / 255
    return (np.round(levels) if binary else levels).astype(np.float32)


def opened(path: Path) -> Run:
    """Return the function in an exported file or folder."""
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path)
        names = [output.name for output in session.get_outputs()]
        return lambda arrays: dict(zip(names, session.run(None, arrays), strict=True))
    if path.suffix == ".tflite":
        run: Run = Interpreter(str(path)).get_signature_runner("serving_default")
        return lambda arrays: run(**arrays)  # type: ignore[call-arg]
    loaded = tf.saved_model.load(str(path))

    def function(arrays: Arrays) -> Arrays:
        constants = {name: tf.constant(array) for name, array in arrays.items()}
        results = loaded.signatures["serving_default"](**constants)
        return {name: value.numpy() for name, value in results.items()}

    return function
