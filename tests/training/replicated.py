"""Train on a number of replicas in this process, and save the first gradients and the losses.

A process has one strategy only: TensorFlow numbers the collective operations of each from the start.

Usage: python -m tests.training.replicated REPLICAS FOLDER
"""

import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf  # before vae.model, which starts the devices

REPLICAS = int(sys.argv[1])
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * REPLICAS)

import vae.model  # noqa: E402, F401, before keras

# isort: split
import keras  # noqa: E402
import numpy as np  # noqa: E402

from tests.training.replica_cases import BATCH_SIZE, CASES, HELD_OUT, HELD_OUT_BATCH, IMAGES  # noqa: E402
from tests.training.small_training import MODEL, train_settings  # noqa: E402
from vae.data.splits import Split  # noqa: E402
from vae.training.distribution import connected  # noqa: E402
from vae.training.fit import build_model, fit  # noqa: E402


class FirstGradient(keras.callbacks.Callback):
    """Adam's momentum after the first step is a tenth of the gradient; after more steps, a mean."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch + 1 == self.step:
            variables = self.model.optimizer.variables
            momenta = [10 * v.numpy().ravel() for v in variables if v.path.endswith("_momentum")]
            self.gradient = np.concatenate(momenta)


def main() -> None:
    images = np.random.default_rng(0).uniform(size=(IMAGES + HELD_OUT, 28, 28, 1)).astype("float32")
    labels, held_out_labels = (np.arange(count, dtype=np.uint8) % 2 for count in (IMAGES, HELD_OUT))
    data = Split(images[:IMAGES], labels, np.array(["a", "b"]))
    for name, case in CASES.items():
        if REPLICAS not in case.replicas:
            continue
        settings = train_settings(epochs=2, batch_size=BATCH_SIZE, learning_rate=1e-4, **case.train)
        with workers.strategy.scope():
            model = build_model(data, MODEL.model_copy(update=case.model), settings, 0)
            model.prior.initialize(images, 0)
        both = (labels, held_out_labels) if model.conditional else None
        validation = (images[IMAGES:] > 0.5).astype("float32")
        first = FirstGradient(case.compared)
        with (
            mock.patch("vae.training.fit.EXECUTIONS", 1 if case.compared > 1 else 50),
            mock.patch("vae.training.data_sets.VALIDATION_BATCH_SIZE", HELD_OUT_BATCH),
        ):
            history = fit(model, images[:IMAGES], validation, settings, 0, callbacks=[first], labels=both, quiet=True)
        np.savez(
            Path(sys.argv[2]) / f"{name}, {REPLICAS}.npz",
            gradient=first.gradient,
            losses=history.drop(columns="seconds").to_numpy(),
            weights=np.concatenate([weights.ravel() for weights in model.get_weights()]),
        )


if __name__ == "__main__":
    with connected("mirrored" if REPLICAS > 1 else "none") as workers:
        main()
