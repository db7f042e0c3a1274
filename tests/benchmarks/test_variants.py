from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.variants import PATCHES, build
from vae.nn.model import VAE
from vae.settings import Train

SETTINGS = Train(
    **{"latent_dim": 2, "epsilon_std": 0.0, "dropout": 0.0, "epochs": 1, "batch_size": 6, "optimizer": "adam"},
    **{"learning_rate": 0.01, "schedule": "constant", "warmup": 0.0, "patience": 1, "precision": "float32"},
)


def loss_and_gradients(model: VAE, images: NDArray[np.float32]) -> list[Any]:
    z = tf.constant(np.random.default_rng(0).normal(size=(len(images), 2)), tf.float32)
    with tf.GradientTape() as tape:
        z_mean, z_log_var = model.encoder(images)
        loss = tf.reduce_mean(model.decoder(z) ** 2) + tf.reduce_mean(z_mean**2 + z_log_var)
    return [loss, *tape.gradient(loss, model.encoder.trainable_variables + model.decoder.trainable_variables)]


@pytest.mark.parametrize("name", PATCHES)
def test_every_other_graph_is_the_same_function(name: str, images: NDArray[np.float32]) -> None:
    model, variant = VAE(2), build(name, SETTINGS)
    variant.set_weights(model.get_weights())
    for expected, measured in zip(*(loss_and_gradients(m, images) for m in (model, variant)), strict=True):
        np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-5 * min(1, np.abs(expected).max()))
