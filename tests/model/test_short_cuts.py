"""The exact short cuts compute the same function, with the same gradients, as the plain Keras layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from vae.model.short_cuts import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose


def assert_same_function(
    ours: layers.Layer, plain: layers.Layer, x: tf.Tensor, weights: list[NDArray[np.float64]], tolerance: float
) -> None:
    """Compare outputs, their shapes, and the gradients with respect to input and weights.

    The tolerance is absolute, or relative to the largest value if that is less than 1.
    """
    outputs, gradients = [], []
    for layer in (ours, plain):
        layer.build(x.shape)
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = layer(x)
            loss = tf.reduce_mean(output**2)
        outputs.append(output)
        gradients.append(tape.gradient(loss, [x, *layer.trainable_variables]))
    assert outputs[0].shape == ours.compute_output_shape(x.shape) == outputs[1].shape
    for measured, expected in zip([outputs[0], *gradients[0]], [outputs[1], *gradients[1]], strict=True):
        np.testing.assert_allclose(measured, expected, rtol=0, atol=tolerance * min(1, np.abs(expected).max()))


def kernel_and_bias(rng: np.random.Generator, channels: int, filters: int) -> list[NDArray[np.float64]]:
    return [rng.normal(size=(3, 3, filters, channels)) / np.sqrt(9 * channels), rng.normal(size=filters)]


PRECISIONS = pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
SIZES = pytest.mark.parametrize(("height", "width"), [(5, 5), (12, 12), (4, 7), (1, 1)])


@PRECISIONS
@SIZES
@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (3, 2), (64, 32)])
@pytest.mark.parametrize("packed_output", [False, True])
def test_upsampled_layer_equals_upsampling_and_transposed_convolution(
    dtype: str, tolerance: float, height: int, width: int, channels: int, filters: int, packed_output: bool
) -> None:
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(3, height, width, channels)), dtype)
    pair = [layers.UpSampling2D(2, dtype=dtype), layers.Conv2DTranspose(filters, 3, activation="relu", dtype=dtype)]
    if packed_output:
        pair.append(layers.Lambda(lambda y: tf.nn.space_to_depth(y, 2), dtype=dtype))
    assert_same_function(
        UpsampledConv2DTranspose(filters, activation="relu", packed_output=packed_output, dtype=dtype),
        keras.Sequential(pair),
        x,
        kernel_and_bias(rng, channels, filters),
        tolerance,
    )


@PRECISIONS
@SIZES
@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (3, 2), (32, 1)])
def test_packed_layer_equals_the_transposed_convolution_of_the_image(
    dtype: str, tolerance: float, height: int, width: int, channels: int, filters: int
) -> None:
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(3, height, width, 4 * channels)), dtype)
    unpacked = layers.Lambda(lambda y: tf.nn.depth_to_space(y, 2), dtype=dtype)
    assert_same_function(
        PackedConv2DTranspose(filters, activation="relu", dtype=dtype),
        keras.Sequential([unpacked, layers.Conv2DTranspose(filters, 3, activation="relu", dtype=dtype)]),
        x,
        kernel_and_bias(rng, channels, filters),
        tolerance,
    )


@PRECISIONS
@pytest.mark.parametrize(("batch", "latent_dim"), [(1, 1), (7, 2), (3, 10)])
def test_affine_map_equals_its_layers_in_sequence(dtype: str, tolerance: float, batch: int, latent_dim: int) -> None:
    rng = np.random.default_rng(0)

    def network() -> keras.Sequential:
        return keras.Sequential(
            [
                layers.Dense(3 * 2 * 5, dtype=dtype),
                layers.Reshape((3, 2, 5), dtype=dtype),
                layers.Conv2DTranspose(4, 3, dtype=dtype),
            ]
        )

    weights = [rng.normal(size=(latent_dim, 30)), rng.normal(size=30), *kernel_and_bias(rng, 5, 4)]
    x = tf.constant(rng.normal(size=(batch, latent_dim)), dtype)
    assert_same_function(AffineMap(network(), dtype=dtype), network(), x, weights, tolerance)
