"""The papers' fully connected network against NumPy."""

import numpy as np
from numpy.typing import NDArray

from vae.model.architectures import mlp

SHAPE = (28, 28, 1)


def affine(x: NDArray[np.float64], weights: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    kernel, bias = weights
    y: NDArray[np.float64] = x @ kernel.astype(float) + bias
    return y


def test_encoder_and_decoder_equal_the_formula_in_numpy() -> None:
    rng = np.random.default_rng(0)
    encoder = mlp.build_encoder(SHAPE, 50, dropout=0.0, seed=0, precision="float32")
    decoder = mlp.build_decoder(SHAPE, 50, outputs=1, precision="float32")
    for part in (encoder, decoder):
        part.set_weights([rng.normal(size=weight.shape) / 15 for weight in part.weights])
    images, z = rng.uniform(size=(5, *SHAPE)), rng.normal(size=(5, 50))
    first, second, mean, log_var = (
        encoder.get_layer(name).get_weights() for name in ("dense_1", "dense_2", "z_mean", "z_log_var")
    )
    h = np.tanh(affine(np.tanh(affine(images.reshape(5, -1), first)), second))
    for measured, head in zip(encoder(images.astype("float32")), (mean, log_var), strict=True):
        np.testing.assert_allclose(measured, affine(h, head), atol=1e-5)
    first, second, pixels = (decoder.get_layer(name).get_weights() for name in ("dense_1", "dense_2", "pixels"))
    logits = affine(np.tanh(affine(np.tanh(affine(z, first)), second)), pixels)
    np.testing.assert_allclose(decoder(z.astype("float32")), logits.reshape(5, *SHAPE), atol=1e-5)


def test_network_has_the_parameters_of_the_paper_at_fifty_latent_dimensions() -> None:
    encoder = mlp.build_encoder(SHAPE, 50, dropout=0.0, seed=0, precision="float32")
    decoder = mlp.build_decoder(SHAPE, 50, outputs=1, precision="float32")
    assert encoder.count_params() == 785 * 200 + 201 * 200 + 2 * 201 * 50
    assert decoder.count_params() == 51 * 200 + 201 * 200 + 201 * 784


def test_initial_kernels_follow_glorot_and_bengio_and_biases_are_zero() -> None:
    encoder = mlp.build_encoder(SHAPE, 50, dropout=0.0, seed=0, precision="float32")
    decoder = mlp.build_decoder(SHAPE, 50, outputs=1, precision="float32")
    layers = [layer for part in (encoder, decoder) for layer in part.layers if layer.weights]
    assert len(layers) == 7
    for layer in layers:
        kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / sum(kernel.shape))
        assert 0.99 * limit < np.abs(kernel).max() <= limit
        assert abs(kernel.std() / (limit / np.sqrt(3)) - 1) < 0.03  # a uniform distribution's
        assert not bias.any()
