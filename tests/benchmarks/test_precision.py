import keras
import numpy as np
import tensorflow as tf

from benchmarks.precision import bfloat16_convolutions_in_float32


def test_widened_convolution_rounds_its_inputs_and_its_exact_result() -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 5, 3)), rng.normal(size=(2, 2, 3, 4))
    with bfloat16_convolutions_in_float32():
        measured = keras.ops.conv(tf.cast(x, tf.bfloat16), tf.cast(kernel, tf.bfloat16))
    rounded_x, rounded_kernel = (np.asarray(tf.cast(tf.cast(v, tf.bfloat16), tf.float64)) for v in (x, kernel))
    exact = np.zeros((2, 4, 4, 4))
    for i, j in np.ndindex(2, 2):
        exact += rounded_x[:, i : i + 4, j : j + 4] @ rounded_kernel[i, j]
    assert measured.dtype == tf.bfloat16
    # one rounding to 8 significant bits, and float32's own error
    np.testing.assert_allclose(tf.cast(measured, tf.float64), exact, rtol=2**-8, atol=1e-5)


def test_float32_convolutions_are_left_alone() -> None:
    x, kernel = tf.random.normal((2, 5, 5, 3)), tf.random.normal((2, 2, 3, 4))
    plain = keras.ops.conv(x, kernel)
    with bfloat16_convolutions_in_float32():
        np.testing.assert_array_equal(keras.ops.conv(x, kernel), plain)
