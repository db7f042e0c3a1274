import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from vae.nn.layers import (
    MAX_ABS_LOG_VAR,
    AffineMap,
    PackedConv2DTranspose,
    Sampling,
    UpsampledConv2DTranspose,
    bounded,
)
from vae.nn.objective import kl_nats


def kl_and_gradient(z_log_var: NDArray[np.float32], bound: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x = tf.constant(z_log_var)
    with tf.GradientTape() as tape:
        tape.watch(x)
        kl = kl_nats(tf.zeros_like(x), bounded(x) if bound else x)
    return kl.numpy(), tape.gradient(kl, x).numpy()


def test_the_bound_changes_no_bit_of_the_kl_and_its_gradient_within_it() -> None:
    within = np.linspace(-MAX_ABS_LOG_VAR, MAX_ABS_LOG_VAR, 61, dtype="float32").reshape(-1, 1)
    for bound, free in zip(kl_and_gradient(within, True), kl_and_gradient(within, False), strict=True):
        np.testing.assert_array_equal(bound, free)


@pytest.mark.parametrize(("z_log_var", "sign"), [(31, 1), (89, 1), (3e38, 1), (-31, -1), (-3e38, -1)])
def test_a_log_variance_beyond_the_bound_is_finite_and_sent_back(z_log_var: float, sign: int) -> None:
    kl, gradient = kl_and_gradient(np.array([[z_log_var]], "float32"), True)
    at_the_bound = 0.5 * (np.exp(sign * MAX_ABS_LOG_VAR) - 1 - sign * MAX_ABS_LOG_VAR)
    np.testing.assert_allclose(kl, [at_the_bound], rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0.5 * (np.exp(sign * MAX_ABS_LOG_VAR) - 1)]], rtol=1e-6)


def noise_of(sampling: Sampling, count: int) -> NDArray[np.float32]:
    return np.asarray(sampling(np.zeros((count, 2), "float32"), np.zeros((count, 2), "float32")))


def test_samples_have_the_mean_and_the_variance_of_the_posterior() -> None:
    mean, log_var = np.array([[3.0, -1.0]]), np.array([[0.5, -2.0]])
    count = 200_000
    z = np.asarray(Sampling(seed=0)(np.repeat(mean, count, 0), np.repeat(log_var, count, 0)))
    variance = np.exp(log_var[0])
    assert np.all(np.abs(z.mean(0) - mean[0]) < 4 * np.sqrt(variance / count))
    assert np.all(np.abs(z.var(0) / variance - 1) < 4 * np.sqrt(2 / count))


def test_epsilon_std_scales_the_noise() -> None:
    np.testing.assert_allclose(noise_of(Sampling(1e-4, seed=0), 8), 1e-4 * noise_of(Sampling(seed=0), 8), rtol=1e-5)


def test_noise_follows_the_seed_and_differs_between_calls() -> None:
    first, second = Sampling(seed=0), Sampling(seed=0)
    draws = noise_of(first, 8)
    np.testing.assert_array_equal(draws, noise_of(second, 8))
    assert not np.any(draws == noise_of(first, 8))


def test_gradient_flows_through_the_sample() -> None:
    mean, log_var = tf.constant([[0.3, -0.7]]), tf.constant([[0.2, -0.4]])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        z = Sampling(seed=0)(mean, log_var)
    by_mean, by_log_var = tape.gradient(z, [mean, log_var])
    # dz/dmean = 1; dz/dlog_var = exp(log_var / 2) epsilon / 2 = (z - mean) / 2
    np.testing.assert_allclose(by_mean, np.ones((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(by_log_var, (z - mean) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        Sampling(0.5, seed=3, name="noise"),
        UpsampledConv2DTranspose(4, activation="relu", packed_output=True, name="up"),
        PackedConv2DTranspose(4, activation="relu", name="packed"),
    ],
)
def test_layers_can_be_rebuilt_from_their_configuration(layer: layers.Layer) -> None:
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def assert_same_function(
    ours: layers.Layer, plain: layers.Layer, x: tf.Tensor, weights: list[NDArray[np.float64]], tolerance: float
) -> None:
    """Outputs and the gradients with respect to input and weights; `compute_output_shape` too.

    Of what has no value as large as 1, the tolerance is the share of its largest.
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
def test_fused_layer_equals_upsampling_and_transposed_convolution(
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
def test_affine_map_equals_its_layers_one_after_the_other(
    dtype: str, tolerance: float, batch: int, latent_dim: int
) -> None:
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
