"""Each operation in the engine equals TensorFlow's, with attributes that no model of the present has, too."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from vae.errors import InputError
from vae.explorer.graphs import Memory, program
from vae.explorer.programs import Programs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1, 6, 8, 4)).astype("float32")
Y = RNG.normal(size=(1, 6, 8, 4)).astype("float32")
KERNEL = RNG.normal(size=(3, 2, 4, 5)).astype("float32")
BACK = RNG.normal(size=(3, 2, 5, 4)).astype("float32")
MATRIX = RNG.normal(size=(8, 9)).astype("float32")
SPECIAL = np.array([-np.inf, -1e30, -100, -88.8, -1, -1e-30, -0.0, 0, 1e-30, 1, 88.8, 100, 1e30, np.inf], "float32")


def back(strides: int, padding: str, *sizes: int) -> Callable[[Any, Any], Any]:
    return lambda x, _: tf.nn.conv2d_transpose(x, BACK, (1, *sizes, 5), strides, padding)


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "conv_same": lambda x, _: tf.nn.conv2d(x, KERNEL, 1, "SAME"),
    "conv_same_strides": lambda x, _: tf.nn.conv2d(x, KERNEL, (2, 3), "SAME"),
    "conv_valid_strides": lambda x, _: tf.nn.conv2d(x, KERNEL, (2, 3), "VALID"),
    "conv_back_valid": back(1, "VALID", 8, 9),
    "conv_back_valid_strides": back(2, "VALID", 13, 16),
    "conv_back_same_strides": back(2, "SAME", 11, 16),
    "max_pool": lambda x, _: tf.nn.max_pool2d(x, (3, 2), (2, 1), "VALID"),
    "matmul": lambda x, _: x[0, 0, :, :] @ KERNEL[0, 0],
    "matmul_transposed": lambda x, _: tf.matmul(x[0, 0], BACK[0, 0], transpose_b=True),
    "matmul_of_a_transposed": lambda x, _: tf.matmul(x[0, 0], MATRIX, transpose_a=True),
    "bias_broadcast": lambda x, y: x[..., :1] * y[:, :1] - x[0, 0, 0],
    "pad": lambda x, _: tf.pad(x, ((0, 0), (1, 2), (0, 3), (2, 0)), constant_values=7),
    "concat": lambda x, y: tf.concat([x, y, x[..., 1:]], -1),
    "stack": lambda x, y: tf.stack([x, y], 2),
    "split": lambda x, _: tf.split(x, 2, axis=-1)[1],
    "tile": lambda x, _: tf.tile(x, (1, 2, 1, 3)),
    "transpose": lambda x, _: tf.transpose(x, (3, 0, 2, 1)),
    "transpose_and_reshape": lambda x, _: tf.reshape(tf.transpose(x, (0, 2, 1, 3)), (4, -1)),
    "slice": lambda x, _: x[:, 1:-1, ::3, tf.newaxis, 2],
    "slice_of_all_before": lambda x, _: x[..., -2:] + x[..., 0:1],
    "space_to_depth": lambda x, _: tf.nn.space_to_depth(x, 2),
    "depth_to_space": lambda x, _: tf.nn.depth_to_space(x, 2),
    "log_softmax": lambda x, _: tf.nn.log_softmax(20 * x),
    "sum": lambda x, _: tf.reduce_sum(x, (1, 3)),
    "sum_keep": lambda x, _: tf.reduce_sum(x, (0, 2), keepdims=True),
    "sum_of_all": lambda x, _: tf.reduce_sum(x, (0, 1, 2, 3)),
    "max": lambda x, _: tf.reduce_max(x, -1),
    "where": lambda x, y: tf.where((x > y) | (x < -1), x, 0.5),
    "minimum": lambda x, y: tf.minimum(tf.maximum(x, y), 1),
    "constant": lambda x, _: tf.ones((3,)),
    "cast": lambda x, y: tf.cast(x < y, "float32"),
    "views_of_views": lambda x, _: tf.transpose(tf.split(x[:, ::2], 2, axis=-1)[1], (0, 3, 2, 1))[..., 1:] + 1,
}
ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    function.__name__: function
    for function in (
        *(tf.abs, tf.exp, tf.math.expm1, tf.math.is_finite, tf.math.log, tf.negative, tf.nn.relu, tf.sigmoid, tf.sign),
        *(tf.math.softplus, tf.square, tf.tanh),
    )
}


def programs_of(function: Callable[..., Any], **shapes: tuple[int, ...]) -> Programs:
    memory = Memory()
    inputs = [tf.TensorSpec(shape, name=name) for name, shape in shapes.items()]
    return Programs({"compute": program(function, inputs, memory)}, memory)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return {name: np.asarray(function(tf.constant(X), tf.constant(Y))) for name, function in FUNCTIONS.items()}


def test_operations_equal_tensorflow(load: Callable[..., Any], expected: dict[str, Any]) -> None:
    programs = programs_of(lambda x, y: {name: f(x, y) for name, f in FUNCTIONS.items()}, x=X.shape, y=Y.shape)
    run = load(programs)
    for _ in range(2):  # the second time with what the first one left in memory
        computed = run("compute", {"x": X, "y": Y})
        assert set(computed) == set(FUNCTIONS)
        for name, value in expected.items():
            np.testing.assert_allclose(computed[name], value.ravel(), rtol=1e-5, atol=1e-5, err_msg=name)


def test_functions_equal_tensorflow_at_the_ends_of_their_ranges(load: Callable[..., Any]) -> None:
    values = np.concatenate([SPECIAL, [np.nan]]).astype("float32")
    # A page's inputs come as JSON here, which has no infinity: the values are made from a constant.
    programs = programs_of(
        lambda x: {name: tf.cast(f(tf.maximum(x, values)), "float32") for name, f in ELEMENTWISE.items()}, x=(1,)
    )
    computed = load(programs)("compute", {"x": -3.4e38})
    for name, function in ELEMENTWISE.items():
        right = np.asarray(tf.cast(function(np.maximum(np.float32(-3.4e38), values)), "float32"))
        np.testing.assert_allclose(computed[name], right, rtol=1e-6, atol=1e-30, err_msg=name)


def test_all_half_precision_numbers_are_read(load: Callable[..., Any]) -> None:
    numbers = np.arange(2**16, dtype="uint16").view("float16")
    numbers = numbers[np.isfinite(numbers)].astype("float32")
    run = load(programs_of(lambda x: {"y": x @ numbers[None]}, x=(1, 1)), "float16")
    np.testing.assert_array_equal(run("compute", {"x": 1})["y"], numbers)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: tf.math.erf(x), "does not know the operation Erf"),
        (lambda x: tf.cast(x, "int32"), "does not know the operation Cast"),
        (lambda x: tf.matmul(x[0, 0], x[0, 0], transpose_b=True), "needs constant kernels"),
        (lambda x: tf.nn.conv2d(x, KERNEL, 1, "SAME", dilations=2), "does not know the operation Conv2D"),
        (lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME"), "does not know the operation MaxPool"),
        (lambda x: tf.gather(tf.ones((3, 2)), tf.argmax(x[0, 0, 0])), "does not know the operation ArgMax"),
    ],
)
def test_what_the_engine_cannot_do_is_an_error(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        programs_of(lambda x: {"y": function(x)}, x=X.shape)
