"""Every prior with weights: its estimated KL, and a model that trains and saves it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import stats
from sklearn.datasets import make_moons

from vae.model.checkpoint import load_model, save_model
from vae.model.priors.flow import RealNVP
from vae.model.priors.learned import LearnedPrior
from vae.model.priors.mixture import GaussianMixture
from vae.model.priors.standard import StandardNormal
from vae.model.vae import VAE

LEARNED = ("flow", "mixture", "vampprior")


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    """Images of one bright square, somewhere."""
    rng = np.random.default_rng(0)
    images = np.zeros((80, 12, 12, 1), "float32")
    for image, (row, column) in zip(images, rng.integers(0, 8, size=(80, 2)), strict=True):
        image[row : row + 4, column : column + 4] = 1
    return images


@pytest.fixture(scope="module", params=LEARNED)
def model(request: pytest.FixtureRequest, images: NDArray[np.float32]) -> VAE:
    """An untrained model, not to be changed."""
    keras.utils.set_random_seed(0)
    model = VAE((12, 12, 1), 3, prior=request.param, seed=0)
    model.prior.initialize(images, seed=0)
    return model


def copy(model: VAE) -> VAE:
    twin: VAE = VAE.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    return twin


def test_the_estimated_kl_is_on_average_that_of_the_closed_form() -> None:
    rng, count = np.random.default_rng(0), 20_000
    z_mean, z_log_var = (np.repeat(rng.normal(size=(1, 3)), count, axis=0).astype("float32") for _ in range(2))
    z = rng.normal(z_mean, np.exp(z_log_var / 2)).astype("float32")
    estimates = np.asarray(RealNVP(3).kl(z_mean, z_log_var, z), "float64")  # untrained, it is N(0, I)
    assert estimates.shape == (count,)
    expected = np.asarray(StandardNormal(3).kl(z_mean[:1], z_log_var[:1]))[0]
    assert abs(estimates.mean() - expected) < 4 * estimates.std() / np.sqrt(count)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "learning_rate"), [(partial(RealNVP, hidden=32), 0.005), (partial(GaussianMixture, components=20), 0.05)]
)
def test_training_fits_two_moons_better_than_a_gaussian(
    make: Callable[[int], LearnedPrior], learning_rate: float
) -> None:
    keras.utils.set_random_seed(0)
    moons, held_out = (make_moons(2_000, noise=0.1, random_state=seed)[0].astype("float32") for seed in (0, 1))
    prior = make(2)
    optimizer, rng = keras.optimizers.Adam(learning_rate), np.random.default_rng(0)
    optimizer.build(prior.trainable_weights)

    @tf.function  # type: ignore[untyped-decorator]
    def step(batch: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(prior.log_prob(batch))
        optimizer.apply(tape.gradient(loss, [weight.value for weight in prior.trainable_weights]))

    for _ in range(400):
        step(tf.constant(moons[rng.integers(len(moons), size=256)]))
    gaussian = stats.multivariate_normal(moons.mean(axis=0), np.cov(moons.T)).logpdf(held_out).mean()
    assert np.mean(prior.log_prob(held_out)) > gaussian + 0.5


@pytest.mark.slow
def test_training_lowers_the_loss_and_changes_every_weight(model: VAE, images: NDArray[np.float32]) -> None:
    trained = copy(model)
    trained.compile(keras.optimizers.Adam(0.01))  # much faster to compile than Muon
    history = trained.fit(images, batch_size=20, epochs=10, verbose=0).history
    assert np.all(np.isfinite(history["kl"]))
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    for before, after in zip(model.get_weights(), trained.get_weights(), strict=True):
        assert np.any(before != after)


def test_a_saved_model_has_the_same_prior(model: VAE, tmp_path: Path) -> None:
    trained, rng = copy(model), np.random.default_rng(0)
    trained.set_weights([0.9 * w + 0.1 * rng.uniform(size=w.shape) for w in model.get_weights()])
    save_model(trained, tmp_path / "model.keras")
    trained.save(tmp_path / "by_keras.keras")
    z = np.asarray(trained.prior.sample(20, seed=0))
    for loaded in (load_model(tmp_path / "model.keras", VAE), keras.models.load_model(tmp_path / "by_keras.keras")):
        np.testing.assert_array_equal(loaded.prior.log_prob(z), trained.prior.log_prob(z))
        np.testing.assert_array_equal(loaded.prior.sample(20, seed=0), z)


def test_compiled_density_equals_the_eager_one(model: VAE) -> None:
    z = model.prior.sample(20, seed=0)
    compiled = tf.function(model.prior.log_prob, input_signature=[tf.TensorSpec((None, 3))])
    np.testing.assert_allclose(compiled(z), model.prior.log_prob(z), rtol=1e-5)


def test_kl_and_its_gradients_stay_finite_at_extreme_posteriors(model: VAE) -> None:
    z_mean = tf.constant(np.repeat([[0, 1e4, -1e4]], 4, axis=0), tf.float32)
    z_log_var = tf.constant([[30.0] * 3, [-30.0] * 3, [-30.0, 0.0, 30.0], [0.0] * 3])
    noise = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    weights = [weight.value for weight in model.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch([z_mean, z_log_var])
        kl = model.prior.kl(z_mean, z_log_var, z_mean + tf.exp(0.5 * z_log_var) * noise)
    assert np.all(np.isfinite(kl))
    gradients = tape.gradient(kl, [z_mean, z_log_var, *weights])
    assert isinstance(model.prior, keras.Layer)
    own = {weight.path for weight in model.prior.trainable_weights}
    assert own
    for gradient, must in zip(gradients, [True, True, *(w.path in own for w in model.trainable_weights)], strict=True):
        assert gradient is not None or not must
        assert gradient is None or np.all(np.isfinite(gradient))
