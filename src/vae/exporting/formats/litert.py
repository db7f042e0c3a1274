"""LiteRT, formerly TensorFlow Lite; ai-edge-litert runs it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from vae.exporting.endpoints import Endpoint, Run
from vae.exporting.formats import saved_model
from vae.exporting.formats.packages import require

SUFFIX = ".tflite"


def write(endpoint: Endpoint, path: Path) -> None:
    """Write the endpoint as a `.tflite` file with the signature `serving_default`."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # only from there does the converter keep names
        saved_model.write(endpoint, Path(folder))
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def load(path: Path) -> Run:
    """Return the function in a `.tflite` file, computed on all cores.

    Raises:
        InputError: ai-edge-litert is not installed.
    """
    litert = require("ai_edge_litert.interpreter", "ai-edge-litert")
    with _quiet():
        interpreter = litert.Interpreter(str(path), num_threads=os.cpu_count())
        interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(saved_model.SIGNATURE)
    return lambda arrays: dict(runner(**arrays))


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what is written to the process's stderr: LiteRT has no other way to leave out a line on XNNPACK."""
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
