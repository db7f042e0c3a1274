"""The seams of the model (likelihood, prior, objective) against NumPy, SciPy and closed forms."""

from collections.abc import Mapping
from typing import Any, get_args

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray
from scipy import stats

from vae.model.architectures import ARCHITECTURES
from vae.model.likelihoods import LIKELIHOODS
from vae.model.likelihoods.bernoulli import Bernoulli
from vae.model.objectives import OBJECTIVES
from vae.model.priors import PRIORS
from vae.model.priors.standard import StandardNormal
from vae.settings import Section
from vae.settings.model import Model
from vae.settings.train import Train


@pytest.mark.parametrize(
    ("section", "key", "registry"),
    [
        (Model, "architecture", ARCHITECTURES),
        (Model, "likelihood", LIKELIHOODS),
        (Model, "prior", PRIORS),
        (Train, "objective", OBJECTIVES),
    ],
)
def test_params_yaml_accepts_exactly_the_registered_names(
    section: type[Section], key: str, registry: Mapping[str, Any]
) -> None:
    assert set(get_args(section.model_fields[key].annotation)) == set(registry)


def nll(x: NDArray[Any], logits: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(ops.convert_to_numpy(Bernoulli().nll(x, logits)))


def kl(z_mean: NDArray[Any], z_log_var: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(ops.convert_to_numpy(StandardNormal(3).kl(z_mean, z_log_var)))


def test_bernoulli_nll_of_grey_levels_equals_the_formula_in_numpy() -> None:
    rng = np.random.default_rng(0)
    x, logits = rng.uniform(size=(5, 28, 28, 1)), 3 * rng.normal(size=(5, 28, 28, 1))
    p = 1 / (1 + np.exp(-logits))
    expected = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(nll(x, logits), expected, rtol=1e-12)


def test_bernoulli_nll_of_binary_images_equals_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    x, logits = rng.integers(2, size=(5, 4, 6, 3)), 3 * rng.normal(size=(5, 4, 6, 3))
    expected = -stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-logits))).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(nll(x.astype(float), logits), expected, rtol=1e-9)


def test_bernoulli_nll_is_784_times_keras_mean_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(5, 28, 28, 1)).astype("float32")
    logits = rng.normal(size=(5, 28, 28, 1)).astype("float32")
    mean = keras.losses.binary_crossentropy(x.reshape(5, -1), logits.reshape(5, -1), from_logits=True)
    np.testing.assert_allclose(nll(x, logits), 784 * ops.convert_to_numpy(mean), rtol=1e-5)


def test_bernoulli_nll_stays_finite_and_exact_at_extreme_logits() -> None:
    logits = np.array([1e4, -1e4, 1e4, -1e4], "float32").reshape(4, 1, 1, 1)
    x = np.array([1, 0, 0, 1], "float32").reshape(4, 1, 1, 1)
    assert nll(x, logits).tolist() == [0, 0, 1e4, 1e4]


def test_bernoulli_nll_of_grey_levels_is_the_expectation_over_binarized_images() -> None:
    rng = np.random.default_rng(0)
    x, logits = rng.uniform(size=(1, 2, 2, 1)), rng.normal(size=(1, 2, 2, 1))
    # all 16 binary images, weighted with their probability under x
    binary = np.array(np.meshgrid(*[[0.0, 1.0]] * 4)).reshape(4, -1).T.reshape(-1, 2, 2, 1)
    weights = np.where(binary == 1, x, 1 - x).prod(axis=(1, 2, 3))
    expected = (weights * nll(binary, np.repeat(logits, 16, axis=0))).sum()
    assert nll(x, logits)[0] == pytest.approx(expected)


def test_bernoulli_mean_and_samples_have_the_probabilities_of_the_logits() -> None:
    likelihood, logits = Bernoulli(), np.array([-3.0, -0.5, 0.0, 1.0, 4.0], "float32")
    p = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(likelihood.mean(logits), p, rtol=1e-6)
    count = 100_000
    many = np.tile(logits.reshape(1, 1, 1, 5), (count, 1, 1, 1))
    samples = np.asarray(likelihood.sample(many, seed=1))
    assert samples.shape == many.shape
    assert set(np.unique(samples)) == {0, 1}
    assert np.all(np.abs(samples.mean(axis=(0, 1, 2)) - p) < 4 * np.sqrt(p * (1 - p) / count))
    np.testing.assert_array_equal(samples, likelihood.sample(many, seed=1))
    assert np.any(samples != np.asarray(likelihood.sample(many, seed=2)))


def test_log_density_of_the_standard_prior_equals_that_of_scipy() -> None:
    z = 3 * np.random.default_rng(0).normal(size=(7, 4))
    expected = stats.multivariate_normal(np.zeros(4)).logpdf(z)
    np.testing.assert_allclose(StandardNormal(3).log_prob(z), expected, rtol=1e-12)


def test_samples_of_the_standard_prior_are_standard_normal_and_follow_the_seed() -> None:
    prior = StandardNormal(3)
    z = np.asarray(prior.sample(20_000, seed=1))
    assert z.shape == (20_000, 3)
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(z.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(len(z))
    np.testing.assert_array_equal(z, prior.sample(20_000, seed=1))
    assert np.all(z != np.asarray(prior.sample(20_000, seed=2)))


def test_kl_equals_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    expected = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    np.testing.assert_allclose(kl(mean, log_var), expected, rtol=1e-12)
    assert kl(np.zeros((1, 10)), np.zeros((1, 10))) == 0  # q(z|x) is the prior
    assert kl(np.ones((1, 10)), np.zeros((1, 10))) == pytest.approx(5)


def test_kl_equals_the_monte_carlo_mean_of_the_log_ratio() -> None:
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    z = rng.normal(mean, np.exp(log_var / 2), size=(400_000, 3, 4))
    log_q = stats.norm.logpdf(z, mean, np.exp(log_var / 2)).sum(axis=-1)
    log_ratio = log_q - np.asarray(StandardNormal(3).log_prob(z))
    standard_error = log_ratio.std(axis=0) / np.sqrt(len(z))
    assert np.all(np.abs(kl(mean, log_var) - log_ratio.mean(axis=0)) < 4 * standard_error)
    assert np.all(standard_error < 0.01)


def test_both_terms_of_an_empty_batch_are_empty() -> None:
    assert nll(np.zeros((0, 28, 28, 1)), np.zeros((0, 28, 28, 1))).shape == (0,)
    assert kl(np.zeros((0, 10)), np.zeros((0, 10))).shape == (0,)
