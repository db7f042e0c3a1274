"""TensorFlow's SavedModel, for TensorFlow Serving and other programs with TensorFlow, but without Keras."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from vae.exporting.endpoints import Arrays, Endpoint, Run

SUFFIX = ""
SIGNATURE = "serving_default"


def write(endpoint: Endpoint, path: Path) -> None:
    """Write the endpoint as a folder with the signature `serving_default`."""
    module = tf.Module()
    module.function = endpoint.function
    module.weights = endpoint.function.get_concrete_function().graph.variables
    tf.saved_model.save(module, str(path), signatures={SIGNATURE: endpoint.function})


def load(path: Path) -> Run:
    """Return the function in a folder."""
    loaded = tf.saved_model.load(str(path))
    function = loaded.signatures[SIGNATURE]

    def run(arrays: Arrays) -> Arrays:
        results = function(**{name: tf.constant(array) for name, array in arrays.items()})
        return {name: np.asarray(value) for name, value in results.items()}

    run.loaded = loaded  # type: ignore[attr-defined]  # whose variables the function does not keep
    return run
