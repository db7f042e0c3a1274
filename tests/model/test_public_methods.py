"""The methods for users: `encode`, `decode`, `reconstruct`, `sample` and `score`, and what they refuse."""

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from vae.data.binarization import binarize
from vae.errors import InputError
from vae.model.vae import VAE

Images = NDArray[np.float32]


@pytest.fixture(scope="module")
def model() -> VAE:
    """A model that is not to be trained; its `epsilon_std` affects only `call`."""
    model = VAE((28, 28, 1), 3, epsilon_std=1e-4, seed=0)
    model.compile("adam")
    return model


def test_encode_and_decode_equal_the_layers_and_a_sigmoid(model: VAE, images: Images) -> None:
    for measured, expected in zip(model.encode(images), model.encoder(images), strict=True):
        assert measured.shape == (6, 3)
        assert measured.dtype == np.float32
        np.testing.assert_allclose(measured, expected, atol=1e-6)
    z = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    decoded = model.decode(z)
    assert decoded.shape == (4, 28, 28, 1)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, 1 / (1 + np.exp(-model.decoder(z).numpy().astype("float64"))), atol=1e-6)


def test_reconstruct_decodes_the_posterior_means(model: VAE, images: Images) -> None:
    np.testing.assert_array_equal(model.reconstruct(images), model.decode(model.encode(images)[0]))


def test_sample_decodes_draws_from_the_prior(model: VAE) -> None:
    samples = model.sample(5, seed=0)
    np.testing.assert_array_equal(samples, model.decode(model.prior.sample(5, 0)))
    assert np.any(samples != model.sample(5, seed=1))
    assert np.any(model.sample(5) != model.sample(5))


def test_score_equals_the_negative_elbo_in_numpy(model: VAE, images: Images) -> None:
    mean, log_var = (value.astype("float64") for value in model.encode(images))
    reconstruction = []
    for epsilon in np.random.default_rng(4).standard_normal((3, 3), np.float32):
        z = mean + np.exp(log_var / 2) * epsilon
        p = model.decode(z).astype("float64")
        reconstruction.append(-(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3)))
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    score = model.score(images, samples=3, seed=4)
    assert score.shape == (6,)
    np.testing.assert_allclose(score, np.mean(reconstruction, axis=0) + kl, rtol=1e-5)
    terms = model.terms(images, samples=3, seed=4)
    np.testing.assert_allclose(terms[0], np.mean(reconstruction, axis=0), rtol=1e-5)
    np.testing.assert_allclose(terms[1], kl, rtol=1e-4)


def test_score_of_an_image_depends_on_no_other_image(model: VAE, images: Images) -> None:
    together = model.score(images, samples=2)
    alone = [model.score(images[i : i + 1], samples=2)[0] for i in range(6)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_score_is_repeatable_and_follows_the_seed(model: VAE, images: Images) -> None:
    score = model.score(images)
    np.testing.assert_array_equal(score, model.score(images))
    assert np.all(score != model.score(images, seed=1))


def test_batch_size_changes_results_only_by_rounding(model: VAE, images: Images) -> None:
    for method in (model.encode, model.reconstruct, lambda x, batch_size: model.score(x, 2, batch_size=batch_size)):
        np.testing.assert_allclose(method(images, batch_size=4), method(images, batch_size=6), rtol=1e-5, atol=1e-6)


def test_large_images_are_computed_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, sizes = VAE((256, 250, 1), 2), []

    def encode(batch: Images) -> tuple[NDArray[np.float32], ...]:
        sizes.append(len(batch))
        return np.zeros((len(batch), 2), "float32"), np.zeros((len(batch), 2), "float32")

    monkeypatch.setattr(model.encoder, "predict_on_batch", encode)
    assert model.encode(np.zeros((40, 256, 250, 1), "float32"))[0].shape == (40, 2)
    assert sizes == [16, 16, 8]
    sizes.clear()
    model.encode(np.zeros((40, 256, 250, 1), "float32"), batch_size=15)
    assert sizes == [15, 15, 10]


@pytest.mark.parametrize(
    ("likelihood", "channels", "sizes"),
    [("bernoulli", 3, [17, 17, 6]), ("logistic_mixture", 1, [17, 17, 6]), ("logistic_mixture", 3, [8] * 5)],
)
def test_many_outputs_for_a_pixel_are_computed_in_smaller_batches(
    likelihood: str, channels: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, decoded = VAE((256, 240, channels), 2, likelihood=likelihood), []

    def decode(z: Images) -> NDArray[np.float32]:
        decoded.append(len(z))
        return np.zeros((len(z), 1, 1, model.outputs), "float32")

    monkeypatch.setattr(model, "decoder", decode)
    model.decode(np.zeros((40, 2), "float32"))
    assert decoded == sizes


RIGHT = "but must be floating-point of shape (n, 28, 28, 1), with values from 0 to 1."
RANGE = "but must be within 0 and 1: divide levels from 0 to 255 by 255."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x[..., 0], f"images are float32 of shape (6, 28, 28), {RIGHT}"),
        (lambda x: x[0], f"images are float32 of shape (28, 28, 1), {RIGHT}"),
        (lambda x: x[:, :24], f"images are float32 of shape (6, 24, 28, 1), {RIGHT}"),
        (lambda x: (x * 255).astype("uint8"), f"images are uint8 of shape (6, 28, 28, 1), {RIGHT}"),
        (lambda x: None, f"images are object of shape (), {RIGHT}"),
        (lambda x: x[:0], "images have the shape (0, 28, 28, 1), but there must be at least one."),
        (lambda x: np.ones_like(x) * 255, f"images have values from 255 to 255, {RANGE}"),
        (lambda x: x * 0 - 1, f"images have values from -1 to -1, {RANGE}"),
        (lambda x: x * np.nan, f"images have values from nan to nan, {RANGE}"),
    ],
)
def test_wrong_images_are_refused_with_what_is_right(
    make: Callable[[Images], Any], message: str, model: VAE, images: Images
) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        model.encode(make(images))


@pytest.mark.parametrize(
    "use",
    [
        VAE.reconstruct,
        VAE.score,
        VAE.fit,
        VAE.evaluate,
        lambda model, x: model.fit(tf.constant(x)),
        lambda model, x: model.fit(x / 255, validation_data=x),
        lambda model, x: model.fit(x / 255, validation_data=(x, x / 255)),
    ],
    ids=["reconstruct", "score", "fit", "evaluate", "fit on a tensor", "validation", "validation with targets"],
)
def test_every_use_of_images_refuses_levels_up_to_255(
    use: Callable[[VAE, Images], Any], model: VAE, images: Images
) -> None:
    with pytest.raises(InputError, match=re.escape(RANGE)):
        use(model, images * 255)


def test_targets_of_validation_images_are_not_used(images: Images) -> None:
    losses = []
    for data in (images, (images, 0 * images)):
        keras.utils.set_random_seed(0)
        model = VAE((28, 28, 1), 3, seed=0)
        model.compile()
        losses.append(model.fit(images, validation_data=data, verbose=0).history["val_loss"])
    assert losses[0] == losses[1]


def test_images_in_any_floating_point_type_are_accepted(model: VAE, images: Images) -> None:
    for given in (images.astype("float64"), tf.constant(images), images.tolist()):
        np.testing.assert_array_equal(model.encode(given), model.encode(images))


@pytest.mark.parametrize(
    "use",
    [
        VAE.encode,
        VAE.reconstruct,
        VAE.score,
        lambda model, x: model.fit(x, epochs=1, verbose=0).history["loss"],
        lambda model, x: model.evaluate(x, verbose=0),
    ],
    ids=["encode", "reconstruct", "score", "fit", "evaluate"],
)
def test_a_model_of_binarized_images_takes_no_others(use: Callable[[VAE, Images], Any], images: Images) -> None:
    model = VAE((28, 28, 1), 3, likelihood="binarized", seed=0)
    model.compile("adam")
    message = (
        "images have values between 0 and 1, but the model's likelihood is binarized, which needs pixels that are "
        "0 or 1: pass vae.data.binarization.binarize(images)."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        use(model, images)
    assert np.all(np.isfinite(use(model, binarize(images))))


@pytest.mark.parametrize("shape", [(0, 3), (5, 4), (3,), (1, 3, 1)])
def test_latent_vectors_of_another_shape_are_refused(shape: tuple[int, ...], model: VAE) -> None:
    message = f"latent vectors have the shape {shape}, but must have (n, 3), with n at least 1."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        model.decode(np.zeros(shape, "float32"))


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (lambda model, x: model.sample(0), "count"),
        (lambda model, x: model.score(x, samples=0), "samples"),
        (lambda model, x: model.encode(x, batch_size=0), "batch_size"),
    ],
)
def test_counts_below_one_are_refused(use: Callable[[VAE, Images], Any], name: str, model: VAE, images: Images) -> None:
    with pytest.raises(InputError, match=f"^{name} is 0, but must be at least 1\\.$"):
        use(model, images)
