"""The model as a whole: its loss, its gradients, its dropout and noise, and its precision."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from vae.errors import InputError
from vae.model.vae import VAE

MNIST = (28, 28, 1)


def test_loss_of_given_weights_equals_the_formula_in_numpy(images: NDArray[np.float32]) -> None:
    model = VAE(MNIST, 10, epsilon_std=0.0)  # z = z_mean, so that NumPy can compute the loss
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
    model = VAE(MNIST, 2, seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(images, epochs=20, verbose=0).history
    assert history.keys() == {"loss", "reconstruction", "kl"}
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    np.testing.assert_allclose(np.add(history["reconstruction"], history["kl"]), history["loss"], rtol=1e-5)


def test_training_and_test_steps_are_those_of_keras_without_a_strategy(
    images: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []

    def spied(name: str) -> Callable[[keras.Model, Any], Any]:
        keras_own = getattr(keras.Model, name)

        def step(model: keras.Model, data: Any) -> Any:
            called.append(name)
            return keras_own(model, data)

        return step

    for name in ("train_step", "test_step"):
        monkeypatch.setattr(keras.Model, name, spied(name))
    model = VAE(MNIST, 2, architecture="mlp")
    model.compile("adam", run_eagerly=True)
    model.fit(images, validation_data=images, verbose=0)
    assert called == ["train_step", "test_step"]


def test_dropout_acts_only_in_training(images: NDArray[np.float32]) -> None:
    model = VAE(MNIST, 10, dropout=0.5, epsilon_std=0.0, seed=0)
    at_rest = np.asarray(model(images, training=False).z_mean)
    np.testing.assert_array_equal(at_rest, np.asarray(model.encode(images)[0]))
    assert not np.allclose(at_rest, np.asarray(model(images, training=True).z_mean))


def test_dropout_reaches_the_training_step(images: NDArray[np.float32]) -> None:
    """The tutorial's mistake: its `train_step` calls the model without `training=True`."""
    losses = []
    for dropout in (0.0, 0.9):
        keras.utils.set_random_seed(0)
        model = VAE(MNIST, 10, dropout=dropout, epsilon_std=0.0, seed=0)
        model.compile("adam")
        losses.append(model.train_on_batch(images))
    assert losses[0] != losses[1]


def test_dropout_and_noise_have_different_seeds_that_follow_the_given_one() -> None:
    models = [VAE(MNIST, 2, dropout=0.5, seed=seed) for seed in (1, 1, 2)]
    seeds = [(m.encoder.get_layer("dropout").seed, m.sampling.seed) for m in models]
    assert seeds[0] == seeds[1]
    assert len({*seeds[0], *seeds[2]}) == 4


def test_models_without_a_seed_differ_and_record_the_one_they_drew(images: NDArray[np.float32]) -> None:
    first, second = VAE(MNIST, 2), VAE(MNIST, 2)
    again = VAE.from_config(first.get_config())
    for model in (second, again):
        model.set_weights(first.get_weights())
    z = [np.asarray(model(images).z) for model in (first, second, again)]
    assert np.all(z[0] != z[1])
    np.testing.assert_array_equal(z[0], z[2])


def test_every_weight_gets_a_gradient(images: NDArray[np.float32]) -> None:
    model = VAE(MNIST, 10, seed=0)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=images, y_pred=model(images, training=True))
    assert all(np.any(gradient != 0) for gradient in tape.gradient(loss, model.trainable_weights))


def test_compiled_pass_equals_the_eager_one(images: NDArray[np.float32]) -> None:
    model = VAE(MNIST, 10, epsilon_std=0.0)
    for eager, compiled in zip(model(images), tf.function(model)(images), strict=True):
        np.testing.assert_allclose(eager, compiled, atol=1e-5)


def test_mixed_precision_computes_the_same_function_to_eight_bits(images: NDArray[np.float32]) -> None:
    exact, mixed = VAE(MNIST, 10, epsilon_std=0.0), VAE(MNIST, 10, epsilon_std=0.0, precision="mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    for expected, measured in zip(exact(images), mixed(images), strict=True):
        difference = np.abs(np.asarray(measured) - np.asarray(expected))
        # Each rounding keeps eight significant bits, and a pass has about ten roundings.
        assert 1e-5 < difference.max() / np.abs(expected).max() < 10 * 2**-8


def test_in_float32_is_the_same_model_in_float32(images: NDArray[np.float32]) -> None:
    keras.utils.set_random_seed(0)
    mixed = VAE(MNIST, 10, prior="flow", precision="mixed_bfloat16", seed=0)
    copy = mixed.in_float32()
    assert copy.in_float32() is copy
    assert copy.get_config() == mixed.get_config() | {"precision": "float32"}
    for ours, theirs in zip(copy.get_weights(), mixed.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(copy.reconstruct(images), mixed.reconstruct(images), atol=0.02)


def test_mixed_precision_keeps_weights_optimizer_latents_and_loss_in_float32(images: NDArray[np.float32]) -> None:
    model = VAE(MNIST, 10, precision="mixed_bfloat16")
    model.compile("adam")
    model.train_on_batch(images)
    output = model(images)
    state = [variable for variable in model.optimizer.variables if variable.name not in ("iteration", "learning_rate")]
    assert len(state) == 2 * len(model.trainable_variables)
    float32 = [*model.trainable_variables, *state, *output, model.compute_loss(images, y_pred=output)]
    assert {str(keras.backend.standardize_dtype(value.dtype)) for value in float32} == {"float32"}
    computed = {layer.name: layer.compute_dtype for part in (model.encoder, model.decoder) for layer in part.layers}
    in_float32 = {name for name, dtype in computed.items() if dtype == "float32"}
    assert in_float32 == {"images", "z_mean", "z_log_var", "z", "parameters"}
    assert {dtype for name, dtype in computed.items() if name not in in_float32} == {"bfloat16"}


@pytest.mark.parametrize("what", ["architecture", "likelihood", "prior", "objective"])
def test_an_unknown_name_is_refused_with_the_known_ones(what: str) -> None:
    with pytest.raises(InputError, match=rf"^{what} is 'none', but must be one of: [\w, ]+\.$"):
        VAE.from_config({"image_shape": MNIST, what: "none"})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prior": "flow", "latent_dim": 1}, "model.prior is flow, .* but model.latent_dim is 1: "),
        (
            {"prior": "vampprior", "conditional": True, "class_names": ("a",)},
            "model.prior .* model.conditional is true: ",
        ),
        ({"objective": "iwae"}, "train.objective is iwae, .* but train.samples is 1: "),
        ({"objective": "iwae", "samples": 2, "beta": 2.0}, "train.objective is iwae, which has no separate KL "),
        ({"prior": "mixture", "free_bits": 0.1}, "train.free_bits is 0.1, .* but model.prior is mixture, "),
        ({"beta": 0.0, "beta_warmup": 5}, "train.beta is 0, so train.beta_warmup "),
        ({"prior": "mixture", "epsilon_std": 0.5}, "train.epsilon_std is 0.5, but model.prior: mixture needs "),
        ({"likelihood": "logistic_mixture", "precision": "mixed_bfloat16"}, "model.likelihood .* is mixed_bfloat16, "),
    ],
    ids=str,
)
def test_values_that_do_not_fit_together_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=f"^{sentence}"):
        VAE(**{"image_shape": MNIST, **options})


@pytest.mark.parametrize("shape", [(28, 28), 28, (28, 28, 0), (28.0, 28, 1), ("28", "28", "1"), (None, 28, 1)])
def test_an_image_shape_that_is_not_three_positive_numbers_is_refused(shape: Any) -> None:
    with pytest.raises(InputError) as refused:
        VAE(shape)
    assert str(refused.value) == (
        f"image_shape is {shape}, but must be (height, width, channels): positive whole numbers."
    )


def test_how_images_are_fitted_is_part_of_the_configuration_unless_it_is_the_default() -> None:
    assert "image_fit" not in VAE(MNIST).get_config()
    model = VAE.from_config(VAE(MNIST, image_fit="crop").get_config())
    assert model.image_fit == "crop"
    with pytest.raises(InputError, match=r"^image_fit is 'zoom', but must be one of: pad, crop, stretch\.$"):
        VAE(MNIST, image_fit="zoom")
