import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from vae.nn.model import VAE


def post_encoder() -> keras.Model:
    """The post's encoder, in plain Keras layers."""
    images = keras.Input((28, 28, 1))
    h = layers.Conv2D(32, 3, activation="relu")(images)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Conv2D(64, 3, activation="relu")(h)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Dropout(0.5)(layers.Flatten()(h))
    return keras.Model(images, [layers.Dense(10)(h), layers.Dense(10)(h)])


def post_decoder() -> keras.Model:
    """The post's decoder, in plain Keras layers."""
    return keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(5 * 5 * 64),
            layers.Reshape((5, 5, 64)),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(64, 3, activation="relu"),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(32, 3, activation="relu"),
            layers.Conv2DTranspose(1, 3, activation="sigmoid"),
        ]
    )


def test_encoder_has_the_layers_of_the_post_on_what_of_the_image_they_use() -> None:
    assert [(layer.name, layer.output.shape) for layer in VAE(10).encoder.layers] == [
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


def test_decoder_has_the_layers_of_the_post() -> None:
    decoder = VAE(10).decoder
    assert [(layer.name, layer.output.shape) for layer in decoder.layers] == [
        ("z", (None, 10)),
        ("affine", (None, 12, 12, 64)),
        ("relu_3", (None, 12, 12, 64)),
        ("upsampled_deconv_2", (None, 13, 13, 4 * 32)),
        ("deconv_3", (None, 28, 28, 1)),
        ("logits", (None, 28, 28, 1)),
    ]
    affine = decoder.get_layer("affine").network
    assert [layer.name for layer in affine.layers] == ["dense", "reshape", "upsampled_deconv_1"]
    assert affine.compute_output_shape((None, 10)) == (None, 12, 12, 64)


def test_parameters_at_ten_latent_dimensions() -> None:
    model = VAE(10)
    assert (model.encoder.count_params(), model.decoder.count_params()) == (50_836, 73_281)
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == 124_117


def test_same_weights_give_the_outputs_of_the_post(images: NDArray[np.float32]) -> None:
    model, encoder, decoder = VAE(10), post_encoder(), post_decoder()
    encoder.set_weights(model.encoder.get_weights())
    decoder.set_weights(model.decoder.get_weights())
    for ours, theirs in zip(model.encode(images), encoder(images), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    z = np.random.default_rng(0).normal(size=(6, 10)).astype("float32")
    np.testing.assert_allclose(model.decode(z), decoder(z), atol=1e-5)


def test_loss_of_given_weights_equals_the_formula_by_hand(images: NDArray[np.float32]) -> None:
    model = VAE(10, epsilon_std=0.0)  # z = z_mean, so that the loss can be computed apart
    model.compile("adam")
    mean, log_var = (np.asarray(value, "float64") for value in model.encode(images))
    p = np.asarray(model.decode(mean), "float64")
    reconstruction = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3))
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    measured = model.evaluate(images, batch_size=4, verbose=0, return_dict=True)
    assert measured["reconstruction"] == pytest.approx(reconstruction.mean(), rel=1e-5)
    assert measured["kl"] == pytest.approx(kl.mean(), rel=1e-4)
    assert measured["loss"] == pytest.approx((reconstruction + kl).mean(), rel=1e-5)


def test_plain_compile_and_fit_lower_the_loss(images: NDArray[np.float32]) -> None:
    keras.utils.set_random_seed(0)
    model = VAE(2, seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(images, epochs=20, verbose=0).history
    assert history.keys() == {"loss", "reconstruction", "kl"}
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    np.testing.assert_allclose(np.add(history["reconstruction"], history["kl"]), history["loss"], rtol=1e-5)


def test_dropout_acts_in_training_alone(images: NDArray[np.float32]) -> None:
    model = VAE(10, dropout=0.5, epsilon_std=0.0, seed=0)
    at_rest = np.asarray(model(images, training=False).z_mean)
    np.testing.assert_array_equal(at_rest, np.asarray(model.encode(images)[0]))
    assert not np.allclose(at_rest, np.asarray(model(images, training=True).z_mean))


def test_dropout_reaches_the_training_step(images: NDArray[np.float32]) -> None:
    """The post's mistake: its `train_step` calls the model without `training=True`."""
    losses = []
    for dropout in (0.0, 0.9):
        keras.utils.set_random_seed(0)
        model = VAE(10, dropout=dropout, epsilon_std=0.0, seed=0)
        model.compile("adam")
        losses.append(model.train_on_batch(images))
    assert losses[0] != losses[1]


def test_dropout_and_noise_have_seeds_of_their_own_that_follow_the_one_given() -> None:
    models = [VAE(2, dropout=0.5, seed=seed) for seed in (1, 1, 2)]
    seeds = [(m.encoder.get_layer("dropout").seed, m.sampling.seed) for m in models]
    assert seeds[0] == seeds[1]
    assert len({*seeds[0], *seeds[2]}) == 4


def test_every_weight_gets_a_gradient(images: NDArray[np.float32]) -> None:
    model = VAE(10, seed=0)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=images, y_pred=model(images, training=True))
    assert all(np.any(gradient != 0) for gradient in tape.gradient(loss, model.trainable_weights))


def test_compiled_pass_equals_the_eager_one(images: NDArray[np.float32]) -> None:
    model = VAE(10, epsilon_std=0.0)
    for eager, compiled in zip(model(images), tf.function(model)(images), strict=True):
        np.testing.assert_allclose(eager, compiled, atol=1e-5)


def test_reconstructions_and_samples_are_pixel_means(images: NDArray[np.float32]) -> None:
    model = VAE(3)
    samples = np.asarray(model.sample(5, seed=0))
    for pixels in (np.asarray(model.reconstruct(images)), samples):
        assert pixels.shape[1:] == (28, 28, 1)
        assert 0 < pixels.min() < pixels.max() < 1
    np.testing.assert_array_equal(samples, np.asarray(model.sample(5, seed=0)))
    np.testing.assert_array_equal(model.reconstruct(images), model.decode(model.encode(images)[0]))


def test_mixed_precision_computes_the_same_function_to_eight_bits(images: NDArray[np.float32]) -> None:
    exact, mixed = VAE(10, epsilon_std=0.0), VAE(10, epsilon_std=0.0, precision="mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    for expected, measured in zip(exact(images), mixed(images), strict=True):
        difference = np.abs(np.asarray(measured) - np.asarray(expected))
        # eight significant bits a rounding, of which a pass has about ten; yet not the same figures
        assert 1e-5 < difference.max() / np.abs(expected).max() < 10 * 2**-8


def test_mixed_precision_keeps_weights_optimizer_latents_and_loss_in_float32(images: NDArray[np.float32]) -> None:
    model = VAE(10, precision="mixed_bfloat16")
    model.compile("adam")
    model.train_on_batch(images)
    output = model(images)
    state = [variable for variable in model.optimizer.variables if variable.name not in ("iteration", "learning_rate")]
    assert len(state) == 2 * len(model.trainable_variables)
    float32 = [*model.trainable_variables, *state, *output, model.compute_loss(images, y_pred=output)]
    assert {str(keras.backend.standardize_dtype(value.dtype)) for value in float32} == {"float32"}
    computed = {layer.name: layer.compute_dtype for part in (model.encoder, model.decoder) for layer in part.layers}
    in_float32 = {name for name, dtype in computed.items() if dtype == "float32"}
    assert in_float32 == {"images", "z_mean", "z_log_var", "z", "logits"}
    assert {dtype for name, dtype in computed.items() if name not in in_float32} == {"bfloat16"}
