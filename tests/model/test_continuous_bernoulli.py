"""The continuous Bernoulli likelihood against numerical integration of its density."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import integrate, stats

from vae.model.likelihoods.continuous_bernoulli import NEAR, ContinuousBernoulli, log_normalizer, quantile

LOGITS = [0.0, 1e-6, 1e-3, 0.1, NEAR - 1e-9, NEAR, NEAR + 1e-9, 0.5, 2.0, 20.0, 80.0]
LOGITS = [sign * logit for logit in LOGITS for sign in (1, -1)]


def integral(function: Callable[[float], float], logit: float, end: float = 1) -> float:
    """Return the integral of `function(x)` exp(logit x), divided by exp(max(logit, 0)), over [0, end]."""
    peak = 1 / max(abs(logit), 1)  # the width of the peak at one of the ends
    points = [x for x in (peak, 5 * peak, 1 - peak, 1 - 5 * peak) if 0 < x < end]
    weighted = lambda x: function(x) * np.exp(logit * x - max(logit, 0))  # noqa: E731
    return float(integrate.quad(weighted, 0, end, points=points, epsabs=0, epsrel=1e-13, limit=200)[0])


def as_image(values: Any, dtype: str = "float64") -> NDArray[Any]:
    return np.reshape(np.asarray(values, dtype), (-1, 1, 1, 1))


@pytest.mark.parametrize("logit", LOGITS)
def test_density_equals_the_bernoulli_expression_divided_by_its_integral(logit: float) -> None:
    for x in (0.0, 0.3, 1.0):
        expected = np.log(integral(lambda _: 1.0, logit)) + max(logit, 0) - logit * x
        nll = np.asarray(ContinuousBernoulli().nll(as_image(x), as_image(logit)))
        np.testing.assert_allclose(nll, [expected], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("logit", LOGITS)
def test_mean_equals_the_integral(logit: float) -> None:
    expected = integral(lambda x: x, logit) / integral(lambda _: 1.0, logit)
    np.testing.assert_allclose(ContinuousBernoulli().mean(as_image(logit)), as_image(expected), rtol=1e-11)
    in_float32 = ContinuousBernoulli().mean(as_image(logit, "float32"))
    np.testing.assert_allclose(in_float32, as_image(expected), rtol=2e-6)


@pytest.mark.parametrize("logit", LOGITS)
def test_quantile_inverts_the_distribution_function(logit: float) -> None:
    probabilities = np.array([0.0, 1e-3, 0.25, 0.5, 0.9, 0.999])
    x = np.asarray(quantile(np.full(6, logit), probabilities))
    found = [integral(lambda _: 1.0, logit, end) / integral(lambda _: 1.0, logit) for end in x]
    if logit > 0:  # these read the probability from the other end
        found = [1 - p for p in found]
    np.testing.assert_allclose(found, probabilities, atol=2e-7)


def test_normalizer_has_the_gradient_of_finite_differences_and_the_mean_is_that_gradient() -> None:
    logits = tf.constant(np.concatenate([LOGITS, [-1e4, 1e4]]), tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        value, mean = log_normalizer(logits), ContinuousBernoulli().mean(logits)
    step = 1e-5
    differences = (log_normalizer(logits + step) - log_normalizer(logits - step)) / (2 * step)
    np.testing.assert_allclose(tape.gradient(value, logits), differences, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(value, logits), mean, rtol=1e-11)
    differences = ContinuousBernoulli().mean(logits + step) - ContinuousBernoulli().mean(logits - step)
    np.testing.assert_allclose(tape.gradient(mean, logits), differences / (2 * step), atol=1e-6)


def test_float32_agrees_with_float64_next_to_the_switch_and_at_extreme_logits() -> None:
    logits = np.concatenate([np.linspace(-0.5, 0.5, 1001), [-1e30, -1e4, -100, 100, 1e4, 1e30]])
    single, double = tf.constant(logits, tf.float32), tf.constant(logits, tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([single, double])
        values = log_normalizer(single), log_normalizer(double)
    np.testing.assert_allclose(*values, rtol=1e-6, atol=1e-7)
    gradients = tape.gradient(values[0], single), tape.gradient(values[1], double)
    np.testing.assert_allclose(*gradients, atol=1e-6)


@pytest.mark.parametrize("logit", [-80.0, -1.0, 0.0, 1e-6, 3.0, 80.0])
def test_samples_have_the_distribution_and_follow_the_seed(logit: float) -> None:
    likelihood, logits = ContinuousBernoulli(), np.full((20_000, 1, 1, 1), logit, "float32")
    x = np.asarray(likelihood.sample(logits, seed=1))
    assert x.shape == logits.shape
    assert x.min() >= 0
    assert x.max() <= 1
    expected = stats.uniform() if abs(logit) < 1e-3 else stats.truncexpon(abs(logit), scale=1 / abs(logit))
    assert stats.kstest((1 - x if logit > 0 else x).ravel(), expected.cdf).pvalue > 0.001
    np.testing.assert_array_equal(x, likelihood.sample(logits, seed=1))
    assert np.any(x != np.asarray(likelihood.sample(logits, seed=2)))
