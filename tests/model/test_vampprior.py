"""The VampPrior: a mixture of the encoder's posteriors of pseudo-inputs, which are trained and stay in [0, 1]."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import special, stats

from vae.errors import InputError
from vae.model.priors.vampprior import VampPrior
from vae.model.vae import VAE
from vae.training.optimizers import ConvMuon

SHAPE = (12, 12, 1)
COMPONENTS = 30


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(size=(40, *SHAPE)).astype("float32")


@pytest.fixture
def encoder() -> keras.Model:
    """An encoder whose posteriors differ clearly between images."""
    encoder = VAE(SHAPE, 2, dropout=0.5, seed=0).encoder
    for name in ("z_mean", "z_log_var"):
        kernel = encoder.get_layer(name).kernel
        kernel.assign(np.random.default_rng(len(name)).normal(size=kernel.shape))
    return encoder


@pytest.fixture
def prior(encoder: keras.Model, images: NDArray[np.float32]) -> VampPrior:
    prior = VampPrior(2, encoder, COMPONENTS)
    prior.initialize(images, seed=0)
    return prior


def posteriors(prior: VampPrior, encoder: keras.Model) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means and the standard deviations of the pseudo-inputs' posteriors, (C, latent_dim) each."""
    pseudo_inputs = np.reshape(prior.get_weights()[0], (-1, *SHAPE))
    z_mean, z_log_var = (np.asarray(value, "float64") for value in encoder(pseudo_inputs))
    return z_mean, np.exp(z_log_var / 2)


def test_log_density_is_that_of_the_mixture_of_the_posteriors(prior: VampPrior, encoder: keras.Model) -> None:
    means, deviations = posteriors(prior, encoder)
    assert means.std(axis=0).min() > 0.1
    z = 2 * np.random.default_rng(1).normal(size=(9, 2))
    log_probs = stats.norm.logpdf(z[:, None], means, deviations).sum(axis=-1)
    expected = special.logsumexp(log_probs, axis=1) - np.log(COMPONENTS)
    np.testing.assert_allclose(prior.log_prob(z), expected, rtol=1e-5)


def test_the_density_integrates_to_one(prior: VampPrior, encoder: keras.Model) -> None:
    means, deviations = posteriors(prior, encoder)
    # Steps of half the smallest deviation, to six of the largest beyond the means.
    step, margin = deviations.min() / 2, 6 * deviations.max()
    axes = [np.arange(low - margin, high + margin, step) for low, high in zip(means.min(0), means.max(0), strict=True)]
    density = np.exp(np.asarray(prior.log_prob(np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)), "float64"))
    assert density.sum() * step**2 == pytest.approx(1, abs=1e-4)


def test_samples_have_the_moments_of_the_mixture_and_follow_the_seed(prior: VampPrior, encoder: keras.Model) -> None:
    means, deviations = posteriors(prior, encoder)
    z = np.asarray(prior.sample(20_000, seed=1), "float64")
    for values, expected in ((z, means.mean(axis=0)), (z**2, (means**2 + deviations**2).mean(axis=0))):
        assert np.all(np.abs(values.mean(axis=0) - expected) < 4 * values.std(axis=0) / np.sqrt(len(z)))
    np.testing.assert_array_equal(prior.sample(5, seed=1), prior.sample(5, seed=1))
    assert np.all(np.asarray(prior.sample(5, seed=1)) != np.asarray(prior.sample(5, seed=2)))


def test_the_kl_is_zero_where_all_pseudo_inputs_are_the_image(
    encoder: keras.Model, images: NDArray[np.float32]
) -> None:
    prior = VampPrior(2, encoder, COMPONENTS)
    prior.set_weights([np.broadcast_to(images[:1], (COMPONENTS, *SHAPE)).reshape(prior.pseudo_inputs.shape)])
    z_mean, z_log_var = encoder(images[:1])
    z = z_mean + np.exp(0.5 * np.asarray(z_log_var)) * np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
    np.testing.assert_allclose(prior.kl(z_mean, z_log_var, z), np.zeros(50), atol=1e-5)


def test_the_encoder_is_neither_counted_nor_saved_twice(tmp_path: Path) -> None:
    models = [VAE(SHAPE, 2, prior=prior) for prior in ("standard", "vampprior")]
    standard, vamp = ([weight.path for weight in model.weights] for model in models)
    assert vamp == [*standard, "prior/pseudo_inputs"]
    sizes = []
    for model in models:
        model.save_weights(tmp_path / "model.weights.h5")
        sizes.append((tmp_path / "model.weights.h5").stat().st_size)
    pseudo_inputs = 4 * 500 * 12 * 12  # bytes
    assert pseudo_inputs < sizes[1] - sizes[0] < pseudo_inputs + 2 * models[0].encoder.count_params()


def test_pseudo_inputs_start_as_different_training_images(prior: VampPrior, images: NDArray[np.float32]) -> None:
    first = prior.get_weights()[0].reshape(COMPONENTS, 1, -1)
    distances = np.abs(first - images.reshape(1, len(images), -1)).mean(axis=-1)
    assert distances.min(axis=1).max() < 0.01
    assert len(set(distances.argmin(axis=1))) == COMPONENTS
    prior.initialize(images, seed=1)
    assert np.any(prior.get_weights()[0] != first.reshape(COMPONENTS, 144, 1))
    prior.initialize(images, seed=0)
    np.testing.assert_array_equal(prior.get_weights()[0], first.reshape(COMPONENTS, 144, 1))


def test_pseudo_inputs_of_fewer_images_all_differ(encoder: keras.Model, images: NDArray[np.float32]) -> None:
    prior = VampPrior(2, encoder, COMPONENTS)
    prior.initialize(images[:3], seed=0)
    assert len(np.unique(prior.get_weights()[0].reshape(COMPONENTS, -1), axis=0)) == COMPONENTS


def test_without_images_pseudo_inputs_are_grey_noise(encoder: keras.Model) -> None:
    keras.utils.set_random_seed(0)
    assert stats.kstest(VampPrior(2, encoder).get_weights()[0].ravel(), "uniform").pvalue > 1e-4


def test_fit_starts_a_new_prior_from_the_images_and_leaves_a_trained_one(images: NDArray[np.float32]) -> None:
    model = VAE(SHAPE, 2, prior="vampprior", seed=3)
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(images, epochs=1, verbose=0)
    expected = VampPrior(2, model.encoder)
    expected.initialize(images, seed=3)
    np.testing.assert_array_equal(model.get_weights()[-1], expected.get_weights()[0])
    model.fit(1 - images, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[-1], expected.get_weights()[0])


def test_a_new_prior_without_an_array_of_images_is_refused(images: NDArray[np.float32]) -> None:
    data_set = tf.data.Dataset.from_tensor_slices(images).batch(20)
    model = VAE(SHAPE, 2, prior="vampprior", seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    with pytest.raises(InputError, match=r"starts from training images.*call model\.prior\.initialize\(images, seed\)"):
        model.fit(data_set, shuffle=False, verbose=0)
    model.prior.initialize(images, seed=0)
    copy = VAE.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    copy.compile(keras.optimizers.SGD(0.0))
    expected = model.get_weights()[-1]
    for each in (model, copy):
        each.fit(data_set, shuffle=False, verbose=0)
        np.testing.assert_array_equal(each.get_weights()[-1], expected)


@pytest.mark.slow
@pytest.mark.parametrize("make", [keras.optimizers.Adam, ConvMuon])
def test_training_moves_pseudo_inputs_within_0_and_1_and_away_from_both(
    make: type[keras.optimizers.Optimizer], images: NDArray[np.float32]
) -> None:
    keras.utils.set_random_seed(0)
    model = VAE(SHAPE, 2, prior="vampprior", seed=0)
    start = np.random.default_rng(0).integers(2, size=(500, 144, 1)).astype("float32")
    model.set_weights([*model.get_weights()[:-1], start])
    model.compile(make(0.05))
    model.train_on_batch(images)
    values = model.get_weights()[-1]
    assert (values.min(), values.max()) == (0, 1)
    assert np.mean((start == 0) & (values > 0)) > 0.1
    assert np.mean((start == 1) & (values < 1)) > 0.1


@pytest.mark.slow
def test_training_moves_the_prior_towards_fixed_posteriors() -> None:
    keras.utils.set_random_seed(0)
    images = np.linspace(0, 1, 40, dtype="float32").reshape(-1, 1, 1, 1) * np.ones(SHAPE, "float32")
    model = VAE(SHAPE, 2, prior="vampprior", seed=0)
    model.encoder.get_layer("z_mean").kernel.assign(np.random.default_rng(0).normal(scale=10, size=(64, 2)))
    model.encoder.trainable = model.decoder.trainable = False
    noise = np.random.default_rng(1).uniform(size=model.get_weights()[-1].shape)  # far from the posteriors
    model.set_weights([*model.get_weights()[:-1], noise])
    model.compile(keras.optimizers.Adam(0.02))
    kl = model.fit(images, epochs=20, verbose=0).history["kl"]
    assert kl[-1] < kl[0] - 1
