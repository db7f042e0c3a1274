"""The tutorial's architecture: its layers, its parameters and its function, for several shapes of images."""

import math

import keras
import numpy as np
import pytest
from keras import layers

from vae.errors import InputError
from vae.model.architectures import tutorial
from vae.model.vae import VAE

Shape = tuple[int, int, int]


def plain_encoder(shape: Shape) -> keras.Model:
    """Return the tutorial's encoder, in plain Keras layers."""
    images = keras.Input(shape)
    h = layers.Conv2D(32, 3, activation="relu")(images)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Conv2D(64, 3, activation="relu")(h)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Dropout(0.5)(layers.Flatten()(h))
    return keras.Model(images, [layers.Dense(10)(h), layers.Dense(10)(h)])


def plain_decoder(shape: Shape) -> keras.Model:
    """Return the tutorial's decoder, in plain Keras layers."""
    height, width, channels = shape
    start = ((height - 8) // 4, (width - 8) // 4, 64)
    return keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(math.prod(start)),
            layers.Reshape(start),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(64, 3, activation="relu"),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(32, 3, activation="relu"),
            layers.Conv2DTranspose(channels, 3, activation="sigmoid"),
        ]
    )


def test_encoder_has_the_layers_of_the_tutorial_on_the_pixels_that_they_use() -> None:
    assert [(layer.name, layer.output.shape) for layer in VAE((28, 28, 1), 10).encoder.layers] == [
        ("images", (None, 28, 28, 1)),
        ("crop", (None, 26, 26, 1)),
        ("conv_1", (None, 24, 24, 32)),
        ("pool_1", (None, 12, 12, 32)),
        ("relu_1", (None, 12, 12, 32)),
        ("conv_2", (None, 10, 10, 64)),
        ("pool_2", (None, 5, 5, 64)),
        ("relu_2", (None, 5, 5, 64)),
        ("flatten", (None, 1600)),
        ("dropout", (None, 1600)),
        ("z_mean", (None, 10)),
        ("z_log_var", (None, 10)),
    ]


def test_decoder_has_the_layers_of_the_tutorial() -> None:
    decoder = VAE((28, 28, 1), 10).decoder
    assert [(layer.name, layer.output.shape) for layer in decoder.layers] == [
        ("z", (None, 10)),
        ("affine", (None, 12, 12, 64)),
        ("relu_3", (None, 12, 12, 64)),
        ("upsampled_deconv_2", (None, 13, 13, 4 * 32)),
        ("deconv_3", (None, 28, 28, 1)),
        ("parameters", (None, 28, 28, 1)),
    ]
    affine = decoder.get_layer("affine").network
    assert [layer.name for layer in affine.layers] == ["dense", "reshape", "upsampled_deconv_1"]
    assert affine.compute_output_shape((None, 10)) == (None, 12, 12, 64)


def test_model_has_the_parameters_of_the_tutorial_at_ten_latent_dimensions() -> None:
    model = VAE((28, 28, 1), 10)
    assert (model.encoder.count_params(), model.decoder.count_params()) == (50_836, 73_281)
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == 124_117


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (12, 16, 1)])
def test_equal_weights_give_the_outputs_of_the_tutorial(shape: Shape) -> None:
    model, encoder, decoder = VAE(shape, 10), plain_encoder(shape), plain_decoder(shape)
    encoder.set_weights(model.encoder.get_weights())
    decoder.set_weights(model.decoder.get_weights())
    rng = np.random.default_rng(0)
    images, z = rng.uniform(size=(6, *shape)).astype("float32") ** 4, rng.normal(size=(6, 10)).astype("float32")
    for ours, theirs in zip(model.encode(images), encoder(images), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(model.decode(z), decoder(z), atol=1e-5)


def test_decoder_yields_as_many_parameters_per_value_as_the_likelihood_needs() -> None:
    decoder = tutorial.build_decoder((12, 16, 3), 2, parameters_per_value=2, precision="mixed_bfloat16")
    output = decoder(np.zeros((5, 2), "float32"))
    assert (output.shape, output.dtype) == ((5, 12, 16, 6), "float32")


@pytest.mark.parametrize(("height", "width"), [(8, 28), (28, 30), (11, 11)])
def test_image_sizes_that_the_layers_do_not_fit_are_refused(height: int, width: int) -> None:
    message = (
        f"images have {height}x{width} pixels, but the tutorial's architecture needs a height and a width that are "
        "multiples of four and at least 12."
    )
    with pytest.raises(InputError) as refused:
        VAE((height, width, 1))
    assert str(refused.value) == message
