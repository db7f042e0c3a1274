"""The Gaussian likelihoods against SciPy."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from vae.model.likelihoods.gaussian import MIN_LOG_VAR, Gaussian, GaussianPerValue, log_variance

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(5, 4, 6, 3)).astype("float32")
LOGITS = RNG.normal(size=(5, 4, 6, 3)).astype("float32")


def gaussian(raw: float) -> Gaussian:
    """Return the likelihood after training has moved its weight to `raw`."""
    likelihood = Gaussian()
    likelihood.raw.assign(raw)
    return likelihood


def log_density(images: NDArray[Any], mean: NDArray[Any], variance: Any) -> NDArray[np.float64]:
    return np.asarray(stats.norm.logpdf(images.astype(float), mean.astype(float), np.sqrt(variance)))


def soft_variance(raw: Any) -> NDArray[np.float64]:
    """Return the variance by the definition, in float64."""
    below_one = -np.logaddexp(0, math.log(11) - np.asarray(raw, float))
    return np.asarray(np.exp(MIN_LOG_VAR + np.logaddexp(0, below_one - MIN_LOG_VAR)))


@pytest.mark.parametrize("raw", [-30.0, -5.0, 0.0, 2.0])
def test_one_variance_gives_the_density_of_scipy(raw: float) -> None:
    expected = -log_density(IMAGES, expit(LOGITS), soft_variance(raw)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(gaussian(raw).nll(IMAGES, LOGITS), expected, rtol=1e-5)


def test_a_variance_for_each_value_gives_the_density_of_scipy() -> None:
    raw = 3 * RNG.normal(size=LOGITS.shape)
    parameters = np.concatenate([LOGITS, raw], axis=-1)
    expected = -log_density(IMAGES, expit(LOGITS), soft_variance(raw)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(GaussianPerValue().nll(IMAGES, parameters.astype("float32")), expected, rtol=1e-5)


def test_log_variance_starts_at_a_twelfth_and_stays_within_its_bounds() -> None:
    assert float(log_variance(np.float64(0))) == pytest.approx(-math.log(12), abs=1e-4)
    assert float(log_variance(np.float64(-4))) == pytest.approx(-math.log(11) - 4, abs=0.01)  # the identity, shifted
    raw = tf.constant([-1e30, -1e4, -50, 50, 1e4, 1e30], tf.float32)
    np.testing.assert_allclose(log_variance(raw), [MIN_LOG_VAR] * 3 + [0] * 3, atol=1e-5)
    assert math.exp(MIN_LOG_VAR) == pytest.approx(stats.uniform(0, 1 / 255).var())


def test_the_best_single_variance_is_the_mean_square_error() -> None:
    error = np.square(IMAGES.astype(float) - expit(LOGITS.astype(float))).mean()
    likelihood = gaussian(math.log(11) - math.log(math.expm1(-math.log(error))))
    with tf.GradientTape() as tape:
        nll = likelihood.nll(IMAGES, LOGITS)
    assert float(log_variance(likelihood.raw)) == pytest.approx(math.log(error), abs=1e-3)
    assert abs(float(tape.gradient(nll, likelihood.raw.value))) < 0.01 * IMAGES.size


def test_a_value_that_the_mean_meets_exactly_has_a_bounded_density() -> None:
    black, parameters = np.zeros((1, 1, 1, 1), "float32"), np.array([[[[-200, -200]]]], "float32")
    assert float(GaussianPerValue().nll(black, parameters)[0]) == pytest.approx(
        (math.log(2 * math.pi) + MIN_LOG_VAR) / 2
    )


def test_means_are_sigmoids_of_the_first_half_of_the_parameters() -> None:
    parameters = np.concatenate([LOGITS, np.full_like(LOGITS, 9)], axis=-1)
    np.testing.assert_allclose(GaussianPerValue().mean(parameters), expit(LOGITS), rtol=1e-6)
    np.testing.assert_allclose(Gaussian().mean(LOGITS), expit(LOGITS), rtol=1e-6)


@pytest.mark.parametrize("per_value", [False, True])
def test_samples_have_the_distribution_and_follow_the_seed(per_value: bool) -> None:
    likelihood = GaussianPerValue() if per_value else gaussian(-1.0)
    logits = np.full((20_000, 1, 1, 1), 0.7, "float32")
    parameters = np.concatenate([logits, np.full_like(logits, -1)], axis=-1) if per_value else logits
    x = np.asarray(likelihood.sample(parameters, seed=1))
    assert x.shape == logits.shape
    assert stats.kstest(x.ravel(), stats.norm(expit(0.7), np.sqrt(soft_variance(-1.0))).cdf).pvalue > 0.01
    np.testing.assert_array_equal(x, likelihood.sample(parameters, seed=1))
    assert np.any(x != np.asarray(likelihood.sample(parameters, seed=2)))
