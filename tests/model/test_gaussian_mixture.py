"""The mixture of Gaussians as the prior, against SciPy and its moments in closed form."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import special, stats

from vae.model.priors.mixture import GaussianMixture

Parameters = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def random_mixture(latent_dim: int, components: int) -> tuple[GaussianMixture, Parameters]:
    """Return a mixture with its weights (C,), means (C, latent_dim) and standard deviations of the same shape."""
    mixture, rng = GaussianMixture(latent_dim, components=components), np.random.default_rng(0)
    logits = rng.normal(size=components)
    means, log_vars = 2 * rng.normal(size=(1, components, latent_dim)), rng.normal(size=(1, components, latent_dim))
    mixture.set_weights([logits, means, log_vars])
    return mixture, (special.softmax(logits), means[0], np.exp(log_vars[0] / 2))


def test_log_density_equals_that_of_scipy() -> None:
    mixture, (weights, means, deviations) = random_mixture(5, components=7)
    z = 4 * np.random.default_rng(1).normal(size=(9, 5))
    log_probs = [stats.norm.logpdf(z, *pair).sum(axis=1) for pair in zip(means, deviations, strict=True)]
    expected = special.logsumexp(np.transpose(log_probs), b=weights, axis=1)
    np.testing.assert_allclose(mixture.log_prob(z), expected, rtol=1e-5)


def test_the_density_integrates_to_one() -> None:
    mixture, _ = random_mixture(2, components=7)
    step = 0.05
    axis = np.arange(-15, 15, step)
    density = np.exp(np.asarray(mixture.log_prob(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))))
    assert density.sum() * step**2 == pytest.approx(1, abs=1e-4)


def test_samples_have_the_moments_of_the_mixture_and_follow_the_seed() -> None:
    mixture, (weights, means, deviations) = random_mixture(3, components=4)
    z = np.asarray(mixture.sample(50_000, seed=1), "float64")
    assert z.shape == (50_000, 3)
    for power, expected in (
        (1, weights @ means),
        (2, weights @ (means**2 + deviations**2)),
        (3, weights @ (means**3 + 3 * means * deviations**2)),
    ):
        values = z**power
        assert np.all(np.abs(values.mean(axis=0) - expected) < 4 * values.std(axis=0) / np.sqrt(len(z)))
    np.testing.assert_array_equal(mixture.sample(5, seed=1), mixture.sample(5, seed=1))
    assert np.all(np.asarray(mixture.sample(5, seed=1)) != np.asarray(mixture.sample(5, seed=2)))


def test_an_untrained_mixture_has_equal_weights_unit_variances_and_means_drawn_from_the_standard_normal() -> None:
    mixture = GaussianMixture(40)
    logits, means, log_vars = mixture.get_weights()
    assert len(logits) == 100
    assert stats.kstest(means.ravel(), "norm").pvalue > 1e-4
    assert not np.any(logits)
    assert not np.any(log_vars)


def test_variances_beyond_the_bound_are_at_the_bound_and_keep_a_gradient() -> None:
    mixture, z = GaussianMixture(2, components=2), tf.constant([[0.0, 0.0], [1e4, -1e4]])
    mixture.set_weights([np.zeros(2), np.zeros((1, 2, 2)), np.array([[[-1e3, 1e3], [1e3, -1e3]]])])
    with tf.GradientTape() as tape:
        log_prob = mixture.log_prob(z)
    assert np.asarray(log_prob)[0] == pytest.approx(stats.norm.logpdf(0, 0, np.exp([15, -15])).sum(), rel=1e-5)
    assert np.all(np.isfinite(log_prob))
    gradients = tape.gradient(log_prob, [weight.value for weight in mixture.trainable_weights])
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)
    assert np.all(gradients[-1] != 0)
    assert np.all(np.isfinite(mixture.sample(10, seed=0)))
