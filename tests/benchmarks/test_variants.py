from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.variants import AS_IT_IS, PATCHES, build
from vae.model.vae import VAE
from vae.settings.model import Model
from vae.settings.train import Train


def loss_and_gradients(model: VAE, images: NDArray[np.float32]) -> list[Any]:
    z = tf.constant(np.random.default_rng(0).normal(size=(len(images), model.latent_dim)), tf.float32)
    with tf.GradientTape() as tape:
        z_mean, z_log_var = model.encoder(images)
        loss = tf.reduce_mean(model.decoder(z) ** 2) + tf.reduce_mean(z_mean**2 + z_log_var)
    return [loss, *tape.gradient(loss, model.encoder.trainable_variables + model.decoder.trainable_variables)]


@pytest.mark.parametrize("name", PATCHES)
def test_every_other_graph_is_the_same_function(
    name: str, images: NDArray[np.float32], settings: tuple[Model, Train]
) -> None:
    model, variant = (build(graph, images.shape[1:], *settings) for graph in (AS_IT_IS, name))
    variant.set_weights(model.get_weights())
    for expected, measured in zip(*(loss_and_gradients(m, images) for m in (model, variant)), strict=True):
        np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-5 * min(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", PATCHES)
def test_the_heads_of_every_other_graph_have_the_names_by_which_muon_leaves_them_to_adam(
    name: str, settings: tuple[Model, Train]
) -> None:
    assert build(name, (12, 12, 1), *settings).encoder.output_names == ["z_mean", "z_log_var"]
