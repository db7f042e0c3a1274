"""The tutorial's architecture: its layers, its parameters and its function, for several shapes of images."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from vae.errors import InputError
from vae.model.architectures import tutorial
from vae.model.checkpoint import load_model, save_model
from vae.model.likelihoods.bernoulli import Bernoulli
from vae.model.vae import VAE

Shape = tuple[int, int, int]
PADDED = {8: 12, 9: 12, 12: 12, 16: 16, 22: 24, 27: 28, 28: 28, 30: 32, 32: 32, 33: 36, 47: 48, 64: 64}
"""The size to which an image of each size is padded: the next multiple of four, at least 12."""
SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (12, 16, 1), (33, 47, 3), (27, 9, 2), (30, 22, 1), (64, 64, 3)]
"""Sizes that the layers divide, and sizes from one to four short of them."""


def plain_encoder(shape: Shape) -> keras.Model:
    """Return the tutorial's encoder of the padded image, in plain Keras layers."""
    images = keras.Input(shape)
    height, width, _ = shape
    h = layers.ZeroPadding2D(((0, PADDED[height] - height), (0, PADDED[width] - width)))(images)
    h = layers.Conv2D(32, 3, activation="relu")(h)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Conv2D(64, 3, activation="relu")(h)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Dropout(0.5)(layers.Flatten()(h))
    return keras.Model(images, [layers.Dense(10)(h), layers.Dense(10)(h)])


def plain_decoder(shape: Shape) -> keras.Model:
    """Return the tutorial's decoder in plain Keras layers, cropped to the image."""
    height, width, channels = shape
    start = ((PADDED[height] - 8) // 4, (PADDED[width] - 8) // 4, 64)
    return keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(math.prod(start)),
            layers.Reshape(start),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(64, 3, activation="relu"),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(32, 3, activation="relu"),
            layers.Conv2DTranspose(channels, 3),
            layers.Cropping2D(((0, PADDED[height] - height), (0, PADDED[width] - width))),
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


@pytest.fixture(params=SHAPES, ids=str, scope="module")
def model(request: pytest.FixtureRequest) -> VAE:
    """A model that is not to be trained. With other weights, rounding may take a value to the other side of a ReLU."""
    keras.utils.set_random_seed(0)
    return VAE(request.param, 10, seed=0)


def parameters(shape: Shape, latent_dim: int) -> int:
    """Return the number of the parameters: kernels of 3x3, dense layers, and their biases."""
    height, width, channels = shape
    features = 64 * ((PADDED[height] - 8) // 4) * ((PADDED[width] - 8) // 4)
    convolutions = 9 * (channels * 32 + 32 * 64 + 64 * 64 + 64 * 32 + 32 * channels) + (32 + 64 + 64 + 32 + channels)
    heads, dense = 2 * (features + 1) * latent_dim, (latent_dim + 1) * features
    return convolutions + heads + dense


def test_number_of_parameters_follows_from_the_shape(model: VAE) -> None:
    assert model.count_params() - model.sampling.count_params() == parameters(model.image_shape, 10)


def outputs_and_gradients(part: keras.Model, x: NDArray[np.float32]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Return the outputs, and the gradients of their mean square with respect to the input and the weights."""
    values = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = keras.tree.flatten(part(values))
        loss = tf.add_n([tf.reduce_mean(tf.square(output)) for output in outputs])
    return outputs, tape.gradient(loss, [values, *part.trainable_variables])


def test_equal_weights_give_the_outputs_and_gradients_of_the_plain_layers(model: VAE) -> None:
    rng, shape = np.random.default_rng(0), model.image_shape
    images, z = rng.uniform(size=(6, *shape)).astype("float32") ** 4, rng.normal(size=(6, 10)).astype("float32")
    parts = [(model.encoder, plain_encoder(shape), images), (model.decoder, plain_decoder(shape), z)]
    for ours, plain, x in parts:
        plain.set_weights(ours.get_weights())
        (outputs, gradients), (exact, exact_gradients) = (outputs_and_gradients(part, x) for part in (ours, plain))
        for measured, expected in zip(outputs, exact, strict=True):
            assert measured.shape == expected.shape
            np.testing.assert_allclose(measured, expected, atol=1e-5)
        for measured, expected in zip(gradients, exact_gradients, strict=True):
            np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 47, 3)])
def test_loss_does_not_depend_on_what_the_decoder_computes_outside_the_image(shape: Shape) -> None:
    height, width, _ = shape
    decoder, rng = VAE(shape, 10).decoder, np.random.default_rng(0)
    uncropped = decoder.get_layer("deconv_3").output
    before, after = keras.Model(decoder.input, uncropped), keras.Model(uncropped, decoder.output)
    images = rng.uniform(size=(4, *shape)).astype("float32")
    logits = np.asarray(before(rng.normal(size=(4, 10)).astype("float32")))
    assert logits.shape == (4, PADDED[height], PADDED[width], shape[2])
    changed = np.full_like(logits, 1e4)
    changed[:, :height, :width] = logits[:, :height, :width]
    with tf.GradientTape() as tape:
        tape.watch(values := tf.constant(logits))
        loss = Bernoulli().nll(images, after(values))
    np.testing.assert_array_equal(loss, Bernoulli().nll(images, after(changed)))
    gradient = tape.gradient(loss, values).numpy()
    assert np.all(gradient[:, height:] == 0)
    assert np.all(gradient[:, :, width:] == 0)
    inside = 1 / (1 + np.exp(-logits[:, :height, :width])) - images
    np.testing.assert_allclose(gradient[:, :height, :width], inside, atol=1e-6)


def test_public_methods_yield_images_of_the_shape_of_the_model_and_a_copy_yields_the_same(
    model: VAE, tmp_path: Path
) -> None:
    shape = model.image_shape
    images = np.random.default_rng(0).uniform(size=(5, *shape)).astype("float32")
    save_model(model, tmp_path / "vae.keras")
    twin = load_model(tmp_path / "vae.keras", VAE)
    assert twin.get_config() == model.get_config()
    results = [(*m.encode(images), m.reconstruct(images), m.sample(5, seed=0), m.score(images)) for m in (model, twin)]
    assert [result.shape for result in results[0]] == [(5, 10), (5, 10), (5, *shape), (5, *shape), (5,)]
    for measured, expected in zip(*results, strict=True):
        assert np.isfinite(measured).all()
        np.testing.assert_array_equal(measured, expected)


def test_layers_are_inserted_only_where_the_sizes_need_them() -> None:
    names = {}
    for size in ((28, 28), (27, 28), (30, 26), (33, 47), (8, 32)):
        model = VAE((*size, 1), 2)
        inserted = [[layer.name for layer in part.layers] for part in (model.encoder, model.decoder)]
        names[size] = [[name for name in part if name in ("pad", "crop")] for part in inserted]
    assert names == {
        (28, 28): [["crop"], []],
        (27, 28): [["crop"], ["crop"]],  # one row and two columns of the image are not used
        (30, 26): [[], ["crop"]],
        (33, 47): [["pad", "crop"], ["crop"]],
        (8, 32): [["pad", "crop"], ["crop"]],
    }


@pytest.mark.slow
def test_the_largest_image_is_encoded_and_decoded() -> None:
    model = VAE((256, 256, 3), 4)
    images = np.random.default_rng(0).uniform(size=(2, 256, 256, 3)).astype("float32")
    assert model.reconstruct(images).shape == images.shape
    assert np.isfinite(model.score(images)).all()


def test_decoder_yields_as_many_outputs_as_the_likelihood_needs() -> None:
    decoder = tutorial.build_decoder((12, 16, 3), 2, outputs=6, precision="mixed_bfloat16")
    output = decoder(np.zeros((5, 2), "float32"))
    assert (output.shape, output.dtype) == ((5, 12, 16, 6), "float32")


@pytest.mark.parametrize(("height", "width"), [(7, 28), (28, 257), (1, 300)])
def test_image_sizes_outside_the_range_are_refused(height: int, width: int) -> None:
    needed = "the tutorial's architecture needs a height and a width from 8 to 256"
    with pytest.raises(InputError) as refused:
        VAE((height, width, 1))
    assert str(refused.value) == f"images have {height}x{width} pixels, but {needed}."
