"""The mixture of discretized logistic distributions against a reference in NumPy, computed from CDFs."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import special, stats

from vae.model.likelihoods.logistic_mixture import COMPONENTS, LogisticMixture, log_probability

Floats = NDArray[np.float64]
LEVELS = np.arange(256) / 255


class Pixel(NamedTuple):
    """The parameters of one pixel's mixture: (5,), (channels, 5), (channels, 5), (pairs of channels, 5)."""

    logits: Floats
    means: Floats
    log_scales: Floats
    raw_coefficients: Floats

    def parameters(self, count: int = 1, dtype: str = "float64") -> NDArray[Any]:
        """Return the decoder's output for as many images of this one pixel, (count, 1, 1, outputs)."""
        rows = np.concatenate([self.logits[None], self.means, self.log_scales, self.raw_coefficients])
        return np.tile(rows.reshape(1, 1, 1, -1).astype(dtype), (count, 1, 1, 1))


def pixel(channels: int, seed: int = 0) -> Pixel:
    rng = np.random.default_rng(seed)
    shape = (channels, COMPONENTS)
    pairs = (channels * (channels - 1) // 2, COMPONENTS)
    return Pixel(rng.normal(size=5), rng.uniform(-1.2, 1.2, shape), rng.uniform(-5, 0, shape), rng.normal(size=pairs))


def level_probability(level: float, mean: Floats, log_scale: Floats) -> Floats:
    """Return the logistic probability, (5,), of the interval that rounds to a level in [0, 1]."""
    distribution = stats.logistic(mean, np.exp(np.clip(log_scale, -7, 7)))
    lower = -np.inf if level == 0 else 2 * level - 1 - 1 / 255
    upper = np.inf if level == 1 else 2 * level - 1 + 1 / 255
    from_below = distribution.cdf(upper) - distribution.cdf(lower)
    from_above = distribution.sf(lower) - distribution.sf(upper)  # exact where both CDFs are close to one
    return np.asarray(np.where(lower > mean, from_above, from_below))


def reference(image: Floats, p: Pixel) -> float:
    """Return -log P of one pixel's levels, (channels,), by equations 1 to 3 of the paper."""
    probabilities, x, c = special.softmax(p.logits), 2 * image - 1, np.tanh(p.raw_coefficients)
    means = [p.means[0]]
    if len(image) == 3:
        means += [p.means[1] + c[0] * x[0], p.means[2] + c[1] * x[0] + c[2] * x[1]]
    for level, mean, log_scale in zip(image, means, p.log_scales, strict=True):
        probabilities = probabilities * level_probability(level, mean, log_scale)
    return -float(np.log(probabilities.sum()))


@pytest.mark.parametrize("channels", [1, 3])
def test_nll_equals_the_reference_from_cdfs(channels: int) -> None:
    rng = np.random.default_rng(1)
    for seed in range(5):
        p, images = pixel(channels, seed), LEVELS[rng.integers(256, size=(50, 1, 1, channels))]
        images[:2] = [[[0.0] * channels]], [[[1.0] * channels]]
        expected = [reference(image.ravel(), p) for image in images]
        np.testing.assert_allclose(LogisticMixture().nll(images, p.parameters(50)), expected, rtol=1e-6)


def test_nll_of_an_image_is_the_sum_over_its_pixels() -> None:
    pixels = [pixel(3, seed) for seed in range(6)]
    parameters = np.concatenate([p.parameters() for p in pixels]).reshape(1, 2, 3, -1)
    image = LEVELS[np.random.default_rng(0).integers(256, size=(1, 2, 3, 3))]
    expected = sum(reference(levels, p) for levels, p in zip(image.reshape(6, 3), pixels, strict=True))
    np.testing.assert_allclose(LogisticMixture().nll(image, parameters), [expected], rtol=1e-6)


def test_probabilities_of_all_levels_of_a_channel_sum_to_one() -> None:
    likelihood = LogisticMixture()
    grey = likelihood.nll(LEVELS.reshape(-1, 1, 1, 1), pixel(1).parameters(256))
    assert np.exp(-np.asarray(grey)).sum() == pytest.approx(1, abs=1e-12)
    p = pixel(3)
    # P(red, green) is the same pixel's probability under the mixture of its first two channels.
    first_two = Pixel(p.logits, p.means[:2], p.log_scales[:2], p.raw_coefficients[:1])
    for red, green in [(0.0, 1.0), (40 / 255, 200 / 255), (1.0, 0.0)]:
        images = np.stack([np.full(256, red), np.full(256, green), LEVELS], axis=-1)[:, None, None]
        joint = np.exp(-np.asarray(likelihood.nll(images, p.parameters(256)))).sum()
        assert joint == pytest.approx(float(np.exp(-likelihood.nll(images[:1, ..., :2], first_two.parameters())[0])))


def test_tiny_probabilities_equal_the_published_approximation() -> None:
    # Published for differences of the CDFs below 1e-5: the density times the width of the interval.
    x, means, log_scales = np.array([[0.2]]), np.array([[-0.9, 0.9]]), np.array([[-2.8, -2.9]])
    mid = (x - means) * np.exp(-log_scales)
    published = mid - log_scales - 2 * np.logaddexp(0, mid) - np.log(127.5)
    assert np.all(published < np.log(1e-5))
    np.testing.assert_allclose(log_probability(x, means, log_scales), published, rtol=2e-3)


@pytest.mark.parametrize("size", [7.0, 100.0, 1e10])
def test_float32_stays_finite_at_extreme_parameters_and_edges(size: float) -> None:
    rng = np.random.default_rng(0)
    parameters = tf.constant(size * rng.choice([-1.0, 0.0, 1.0], size=(200, 1, 1, 50)), tf.float32)
    images = rng.choice([0.0, 1 / 255, 0.5, 254 / 255, 1.0], size=(200, 1, 1, 3)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        nll = LogisticMixture().nll(np.round(255 * images) / np.float32(255), parameters)
    assert np.all(np.isfinite(nll))
    assert np.all(np.asarray(nll) >= 0)
    assert np.all(np.isfinite(tape.gradient(nll, parameters)))
    for values in (LogisticMixture().mean(parameters), LogisticMixture().sample(parameters, seed=0)):
        assert np.all((np.asarray(values) >= 0) & (np.asarray(values) <= 1))


def test_float32_agrees_with_float64() -> None:
    p = pixel(3)
    images = LEVELS[np.random.default_rng(1).integers(256, size=(100, 1, 1, 3))]
    single = LogisticMixture().nll(images.astype("float32"), p.parameters(100, "float32"))
    np.testing.assert_allclose(single, LogisticMixture().nll(images, p.parameters(100)), rtol=2e-5)


@pytest.mark.parametrize("log_scale", [-9.0, -5.0, -2.0, 0.0, 3.0, 9.0])
def test_mean_of_one_channel_is_the_mean_of_the_levels_to_half_a_level(log_scale: float) -> None:
    for mean in (-1e10, -1.1, -0.998, -0.3, 0.0, 0.5, 1.3, 1e10):
        p = pixel(1)._replace(means=np.full((1, 5), mean), log_scales=np.full((1, 5), log_scale))
        expected = sum(level * level_probability(level, p.means[0], p.log_scales[0])[0] for level in LEVELS)
        for dtype in ("float32", "float64"):
            found = float(np.squeeze(LogisticMixture().mean(p.parameters(dtype=dtype))))
            assert abs(found - expected) < 0.5 / 255 + 1e-6


def test_mean_of_colours_is_the_mean_of_samples() -> None:
    p = pixel(3, seed=3)
    p = p._replace(means=p.means / 3, log_scales=p.log_scales - 2)  # away from the ends, where the mean is exact
    samples = np.asarray(LogisticMixture().sample(p.parameters(50_000, "float32"), seed=1))
    error = samples.std(axis=(0, 1, 2)) / np.sqrt(len(samples))
    mean = np.asarray(LogisticMixture().mean(p.parameters()))
    assert mean.shape == (1, 1, 1, 3)
    assert np.all(np.abs(samples.mean(axis=(0, 1, 2)) - mean.ravel()) < 4 * error)


def test_samples_of_one_channel_have_the_probabilities_of_the_levels() -> None:
    likelihood, count = LogisticMixture(), 100_000
    parameters = pixel(1).parameters(count, "float32")
    samples = np.asarray(likelihood.sample(parameters, seed=1))
    levels = np.round(255 * samples).astype(int)
    np.testing.assert_array_equal(samples, levels.astype("float32") / np.float32(255))
    probabilities = np.exp(-np.asarray(likelihood.nll(LEVELS.reshape(-1, 1, 1, 1), pixel(1).parameters(256))))
    assert count * probabilities.min() > 5
    assert stats.chisquare(np.bincount(levels.ravel(), minlength=256), count * probabilities).pvalue > 0.01
    np.testing.assert_array_equal(samples, likelihood.sample(parameters, seed=1))
    assert np.any(samples != np.asarray(likelihood.sample(parameters, seed=2)))


def test_samples_of_colours_have_the_expected_log_probability_of_the_distribution() -> None:
    # Two levels a channel are likely, so that all combinations can be counted.
    p = pixel(3)._replace(means=np.zeros((3, 5)), log_scales=np.full((3, 5), 6.0))
    p = p._replace(raw_coefficients=np.full((3, 5), 50.0), log_scales=np.array([[6.0], [-0.5], [-0.5]]) + np.zeros(5))
    samples = np.asarray(LogisticMixture().sample(p.parameters(50_000, "float32"), seed=1))
    patterns = np.array(np.meshgrid(*[[0.0, 1.0]] * 3)).reshape(3, -1).T
    probabilities = np.exp([-reference(pattern, p) for pattern in patterns])
    frequencies = np.array([(samples.reshape(-1, 3) == pattern).all(axis=1).mean() for pattern in patterns])
    assert np.all(np.abs(frequencies - probabilities) < 4 * np.sqrt(probabilities / len(samples)) + 1e-4)
    assert probabilities[-1] > 20 * probabilities[1]  # blue and green follow red
