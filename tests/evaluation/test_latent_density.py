import numpy as np
import pytest

from vae.errors import InputError
from vae.evaluation.latent_density import fit_mixture, sample_mixture

CENTERS = np.array([[-6.0, 0.0], [6.0, 0.0], [0.0, 9.0]])


def test_mixture_recovers_clusters_and_the_spread_of_the_posteriors() -> None:
    rng = np.random.default_rng(0)
    clusters = rng.permutation(np.repeat([0, 1, 2], [500, 1000, 1500]))
    z_mean = CENTERS[clusters].astype("float32")
    z_log_var = np.full(z_mean.shape, np.log(0.25), "float32")
    mixture = fit_mixture(z_mean, z_log_var, 3, seed=0)
    order = np.argsort(mixture.weights_)
    np.testing.assert_allclose(mixture.weights_[order], [1 / 6, 1 / 3, 1 / 2], atol=1e-3)
    np.testing.assert_allclose(mixture.means_[order], CENTERS, atol=0.1)
    # The means of a cluster are equal, so all of the spread comes from the posteriors.
    np.testing.assert_allclose(mixture.covariances_, np.tile(0.25 * np.eye(2), (3, 1, 1)), atol=0.04)
    assert mixture.converged_


def test_covariances_are_full() -> None:
    rng = np.random.default_rng(0)
    z_mean = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=5000).astype("float32")
    mixture = fit_mixture(z_mean, np.full(z_mean.shape, -20, "float32"), 1, seed=0)
    np.testing.assert_allclose(mixture.covariances_[0], [[1, 0.8], [0.8, 1]], atol=0.06)


def test_samples_follow_the_mixture_and_repeat() -> None:
    z_mean = np.repeat(CENTERS, 300, axis=0).astype("float32")
    mixture = fit_mixture(z_mean, np.full(z_mean.shape, -2, "float32"), 3, seed=0)
    z = sample_mixture(mixture, 6000)
    assert z.shape == (6000, 2)
    assert z.dtype == np.float32
    nearest = np.linalg.norm(z[:, np.newaxis] - CENTERS, axis=2).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / 6000, [1 / 3] * 3, atol=0.03)
    np.testing.assert_allclose(z.std(axis=0), (z_mean.var(axis=0) + np.exp(-2)) ** 0.5, rtol=0.03)
    np.testing.assert_array_equal(sample_mixture(mixture, 6000), z)


def test_fit_depends_only_on_the_seed() -> None:
    z_mean = np.repeat(CENTERS, 100, axis=0).astype("float32")
    z_log_var = np.zeros_like(z_mean)
    first, same, other = (fit_mixture(z_mean, z_log_var, 3, seed).means_ for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_more_components_than_images_are_refused() -> None:
    with pytest.raises(InputError, match=r"^score\.mixture_components is 6, but must be at most the 5 images\.$"):
        fit_mixture(np.zeros((5, 2), "float32"), np.zeros((5, 2), "float32"), 6, seed=0)


def test_components_that_collapse_are_refused() -> None:
    on_a_line = np.repeat(np.float32(1e10) * np.arange(20, dtype="float32")[:, np.newaxis], 2, axis=1)
    with pytest.raises(InputError, match=r"^score\.mixture_components is 3, too many for these latent vectors"):
        fit_mixture(on_a_line, np.full((20, 2), -80, "float32"), 3, seed=0)


def test_draws_around_equal_points_are_fitted_without_a_warning() -> None:
    z_mean = np.repeat(np.array([[1, 2], [3, 4]], "float32"), 20, axis=0)
    mixture = fit_mixture(z_mean, np.full((40, 2), -2000, "float32"), 3, seed=0)  # draws equal their means
    np.testing.assert_allclose(mixture.weights_ @ mixture.means_, [2, 3], atol=1e-3)
