"""The residual network against plain Keras layers at the full resolution."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from vae.errors import InputError
from vae.model.architectures import resnet
from vae.model.vae import VAE

Shape = tuple[int, int, int]
Array = NDArray[np.float32]
LEVELS = {
    (8, 8, 1): [(4, 4, 48), (2, 2, 64)],
    (28, 28, 1): [(14, 14, 48), (7, 7, 64)],
    (33, 47, 3): [(18, 24, 48), (9, 12, 64)],
    (55, 200, 1): [(28, 100, 48), (14, 50, 64)],
    (64, 64, 3): [(32, 32, 48), (16, 16, 64), (8, 8, 96)],
    (113, 112, 1): [(64, 56, 48), (32, 28, 64), (16, 14, 96), (8, 7, 128)],
    (256, 256, 1): [(128, 128, 48), (64, 64, 64), (32, 32, 96), (16, 16, 128), (8, 8, 128)],
}
SMALL = [(8, 8, 1), (28, 28, 1), (33, 47, 3), (64, 64, 3)]


def encoder_of(shape: Shape) -> keras.Model:
    return resnet.build_encoder(shape, 3, dropout=0.0, seed=0, precision="float32")


def decoder_of(shape: Shape, outputs: int) -> keras.Model:
    return resnet.build_decoder(shape, 3, outputs=outputs, precision="float32")


def plain_block(h: keras.KerasTensor) -> keras.KerasTensor:
    y = h
    for _ in range(2):
        y = layers.Conv2D(h.shape[-1], 3, padding="same")(layers.ReLU()(y))
    return layers.Add()([h, y])


def plain_encoder(shape: Shape) -> keras.Model:
    """Return the same network with a 6x6 convolution of stride 2 instead of a 3x3 convolution of the packed image."""
    images = h = keras.Input(shape)
    padded = [size * 2 ** len(LEVELS[shape]) for size in LEVELS[shape][-1][:2]]
    missing = [size - image for size, image in zip(padded, shape[:2], strict=True)]
    h = layers.ZeroPadding2D([(0, rows) for rows in missing])(h)
    for level, (_, _, channels) in enumerate(LEVELS[shape]):
        h = layers.Conv2D(channels, 2 if level else 6, strides=2, padding="same")(h)
        h = plain_block(h)
    h = layers.Flatten()(layers.ReLU()(h))
    return keras.Model(images, [layers.Dense(3)(h), layers.Dense(3)(h)])


def plain_decoder(shape: Shape, outputs: int) -> keras.Model:
    """Return the same network with transposed convolutions of stride 2 instead of depth to space."""
    levels = LEVELS[shape]
    h = z = keras.Input((3,))
    h = layers.Reshape(levels[-1])(layers.Dense(int(np.prod(levels[-1])))(h))
    for _, _, channels in [*levels[-2::-1], (0, 0, 0)]:
        h = plain_block(h)
        if channels:
            h = layers.Conv2DTranspose(channels, 2, strides=2)(h)
    h = layers.Conv2DTranspose(outputs, 6, strides=2, padding="same")(layers.ReLU()(h))
    return keras.Model(z, h[:, : shape[0], : shape[1]])


def of_packed_image(kernel: Array) -> Array:
    """Return the (6, 6, channels, filters) kernel of the full resolution that does the same as this 3x3 kernel."""
    _, _, channels, filters = kernel.shape
    taps = kernel.reshape(3, 3, 2, 2, channels // 4, filters)
    return taps.transpose(0, 2, 1, 3, 4, 5).reshape(6, 6, channels // 4, filters)


def of_depth_to_space(kernel: Array) -> Array:
    """Return the (2 size, 2 size, filters, channels) kernel of the transposed convolution that does the same."""
    size, _, channels, filters = kernel.shape
    taps = kernel[::-1, ::-1].reshape(size, size, channels, 2, 2, filters // 4)
    return taps.transpose(0, 3, 1, 4, 5, 2).reshape(2 * size, 2 * size, filters // 4, channels)


def drawn(part: keras.Model, unpacked: dict[str, bool]) -> list[Array]:
    """Draw all weights of a part; return them for the plain layers.

    Args:
        part: the encoder or the decoder, whose weights are set.
        unpacked: whether depth to space follows each layer that the plain layers compute at a higher resolution; or
            else, space to depth precedes it.
    """
    rng, plain = np.random.default_rng(0), []
    for layer in part.layers:
        if not layer.weights:
            continue
        kernel, bias = (rng.normal(size=weight.shape).astype("float32") for weight in layer.weights)
        kernel /= np.sqrt(kernel.size / kernel.shape[-1])
        if unpacked.get(layer.name):
            bias = np.tile(bias[: len(bias) // 4], 4)
        layer.set_weights([kernel, bias])
        if layer.name not in unpacked:
            plain += [kernel, bias]
        elif unpacked[layer.name]:
            plain += [of_depth_to_space(kernel), bias[: len(bias) // 4]]
        else:
            plain += [of_packed_image(kernel), bias]
    return plain


def assert_same_function(ours: keras.Model, plain: keras.Model, x: Array) -> None:
    """Compare the outputs, and the gradients of their mean square with respect to the input."""
    outputs, gradients = [], []
    for part in (ours, plain):
        with tf.GradientTape() as tape:
            tape.watch(values := tf.constant(x))
            outputs.append(keras.tree.flatten(part(values)))
            loss = tf.add_n([tf.reduce_mean(tf.square(output)) for output in outputs[-1]])
        gradients.append(tape.gradient(loss, values).numpy())
    for measured, expected in zip(*outputs, strict=True):
        assert measured.shape == expected.shape
        np.testing.assert_allclose(measured, expected, atol=1e-5 * np.abs(expected).max())
    measured, expected = gradients
    np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("shape", SMALL, ids=str)
def test_encoder_equals_plain_strided_convolutions(shape: Shape) -> None:
    ours, plain = encoder_of(shape), plain_encoder(shape)
    plain.set_weights(drawn(ours, {"conv_1": False}))
    assert_same_function(ours, plain, np.random.default_rng(1).uniform(size=(4, *shape)).astype("float32"))


@pytest.mark.parametrize("shape", SMALL, ids=str)
def test_decoder_equals_plain_transposed_convolutions(shape: Shape) -> None:
    ours, plain = decoder_of(shape, outputs=2), plain_decoder(shape, outputs=2)
    plain.set_weights(drawn(ours, {f"conv_{level}": True for level in range(1, len(LEVELS[shape]) + 1)}))
    assert_same_function(ours, plain, np.random.default_rng(1).normal(size=(4, 3)).astype("float32"))


@pytest.mark.parametrize("shape", LEVELS, ids=str)
def test_levels_halve_the_padded_image_until_its_smaller_size_is_7_to_14_or_two_levels_are_there(shape: Shape) -> None:
    expected = LEVELS[shape]
    encoder, decoder = encoder_of(shape), decoder_of(shape, outputs=1)
    for level, size in enumerate(expected, start=1):
        for part in (encoder, decoder):
            assert part.get_layer(f"level_{level}_sum").output.shape == (None, *size)
    assert f"conv_{len(expected) + 1}" not in [layer.name for layer in encoder.layers]
    assert decoder.output.shape == (None, *shape[:2], 1)


def test_each_block_is_the_identity_before_the_training() -> None:
    encoder = encoder_of((28, 28, 1))
    images = np.random.default_rng(0).uniform(size=(4, 28, 28, 1)).astype("float32")
    for level in (1, 2):
        around = [encoder.get_layer(name).output for name in (f"conv_{level}", f"level_{level}_sum")]
        before, after = keras.Model(encoder.input, around)(images)
        np.testing.assert_array_equal(before, after)


@pytest.mark.slow
def test_the_largest_image_is_encoded_and_decoded() -> None:
    model = VAE((256, 256, 3), 4, architecture="resnet")
    images = np.random.default_rng(0).uniform(size=(2, 256, 256, 3)).astype("float32")
    assert model.reconstruct(images).shape == images.shape
    assert np.isfinite(model.score(images)).all()


@pytest.mark.parametrize(("height", "width"), [(7, 28), (28, 257), (1, 300)])
def test_image_sizes_outside_the_range_are_refused(height: int, width: int) -> None:
    with pytest.raises(InputError) as refused:
        VAE((height, width, 1), architecture="resnet")
    needed = "the residual network needs a height and a width from 8 to 256"
    assert str(refused.value) == f"images have {height}x{width} pixels, but {needed}."
