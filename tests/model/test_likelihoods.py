"""What every likelihood must do in a model, what its numbers are called, and which images it refuses."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from vae.data.binarization import binarize
from vae.errors import InputError
from vae.model.checkpoint import load_model, save_model
from vae.model.likelihoods import LIKELIHOODS
from vae.model.likelihoods.bernoulli import Bernoulli, Binarized
from vae.model.vae import VAE

each_likelihood = pytest.mark.parametrize("name", list(LIKELIHOODS))


def levels(*shape: int) -> NDArray[np.float32]:
    """Return images of random 8-bit levels."""
    return (np.random.default_rng(0).integers(256, size=shape) / 255).astype("float32")


@each_likelihood
def test_model_trains_in_graph_mode_and_its_copy_on_disk_is_equal(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    images = levels(16, 12, 12, 3)
    model = VAE((12, 12, 3), 2, likelihood=name, seed=0)
    if model.likelihood.binarizes:
        images = binarize(images)
    model.compile(keras.optimizers.Adam(0.01))
    before = [np.array(weight) for weight in model.get_weights()]
    history = model.fit(images, epochs=10, batch_size=16, verbose=0).history["loss"]
    assert np.all(np.isfinite(history))
    assert history[-1] < history[0]
    assert all(
        np.any(new != old) for new, old in zip(model.get_weights(), before, strict=True) if new.dtype.kind == "f"
    )
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", VAE)
    assert len(loaded.trainable_weights) == len(model.trainable_weights)
    np.testing.assert_array_equal(loaded.score(images), model.score(images))
    assert loaded.reconstruct(images).shape == images.shape


@each_likelihood
def test_compiled_methods_agree_with_eager_ones(name: str) -> None:
    likelihood, images = LIKELIHOODS[name](), levels(4, 3, 5, 3)
    shape = (4, 3, 5, likelihood.outputs(3))
    parameters = np.random.default_rng(0).normal(size=shape).astype("float32")

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, 3, 5, 3)), tf.TensorSpec((None, *shape[1:]))])  # type: ignore[untyped-decorator]
    def compiled(x: tf.Tensor, p: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return likelihood.nll(x, p), likelihood.mean(p), likelihood.sample(p, seed=3)

    nll, mean, sample = compiled(images, parameters)
    np.testing.assert_allclose(nll, likelihood.nll(images, parameters), rtol=1e-5)
    np.testing.assert_allclose(mean, likelihood.mean(parameters), rtol=1e-5)
    np.testing.assert_allclose(sample, likelihood.sample(parameters, seed=3), atol=1e-5)
    assert nll.shape == (4,)
    assert mean.shape == sample.shape == images.shape
    assert mean.dtype == sample.dtype == tf.float32
    assert [len(part) for part in compiled(images[:0], parameters[:0])] == [0, 0, 0]


@each_likelihood
@pytest.mark.parametrize("size", [50.0, 1e4])
def test_values_and_gradients_are_finite_at_extreme_parameters(name: str, size: float) -> None:
    likelihood, images = LIKELIHOODS[name](), levels(50, 2, 2, 1)
    images[:2] = np.array([0, 1]).reshape(2, 1, 1, 1)
    signs = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], size=(50, 2, 2, likelihood.outputs(1)))
    parameters = tf.constant(size * signs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        nll = likelihood.nll(images, parameters)
    results: list[Any] = [nll, tape.gradient(nll, parameters), likelihood.mean(parameters)]
    assert all(np.all(np.isfinite(values)) for values in (*results, likelihood.sample(parameters, seed=0)))
    assert np.all((np.asarray(results[2]) >= 0) & (np.asarray(results[2]) <= 1))


def test_every_unit_says_what_the_nats_are_of() -> None:
    assert all(build().unit.startswith("nats per image of ") for build in LIKELIHOODS.values())


def test_binarized_is_the_bernoulli_likelihood_of_drawn_pixels() -> None:
    images, logits = np.round(levels(3, 4, 4, 1)), np.random.default_rng(0).normal(size=(3, 4, 4, 1))
    np.testing.assert_array_equal(Binarized().nll(images, logits), Bernoulli().nll(images, logits))
    assert [name for name, build in LIKELIHOODS.items() if build().binarizes] == ["binarized"]


@pytest.mark.parametrize(
    ("name", "images", "advice"),
    [
        ("continuous_bernoulli", np.eye(4), "choose bernoulli or binarized."),
        ("gaussian", np.eye(4), "choose bernoulli or binarized."),
        ("gaussian_per_value", np.zeros((4, 4)), "choose bernoulli or binarized."),
        ("logistic_mixture", np.eye(4), "choose bernoulli or binarized."),
        ("logistic_mixture", np.linspace(0, 1, 999), "choose continuous_bernoulli or gaussian."),
    ],
)
def test_images_that_a_likelihood_does_not_fit_are_refused_in_a_sentence(
    name: str, images: NDArray[Any], advice: str
) -> None:
    reason = LIKELIHOODS[name]().unfit(images.astype("float32"))
    assert reason.startswith(f"model.likelihood is {name}, ")
    assert reason.endswith(advice)


@each_likelihood
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_images_of_8_bit_levels_fit_every_likelihood(name: str, dtype: str) -> None:
    assert LIKELIHOODS[name]().unfit((np.arange(256) / 255).astype(dtype)) == ""


def test_binary_and_fine_levels_fit_the_likelihoods_of_single_bits() -> None:
    for name in ("bernoulli", "binarized"):
        assert LIKELIHOODS[name]().unfit(np.eye(4)) == LIKELIHOODS[name]().unfit(np.linspace(0, 1, 999)) == ""


def test_fit_refuses_arrays_that_the_likelihood_does_not_fit() -> None:
    labels = np.zeros(5, np.int64)
    black_and_white = np.zeros((5, 8, 8, 1), np.float32)
    with pytest.raises(InputError, match=r"^model\.likelihood is gaussian, a density\. On images with only "):
        VAE((8, 8, 1), 2, likelihood="gaussian").fit(black_and_white)
    model = VAE((8, 8, 1), 2, likelihood="logistic_mixture", conditional=True, class_names=["a"])
    with pytest.raises(InputError, match=r"^model\.likelihood is logistic_mixture, "):
        model.fit((black_and_white, labels))
