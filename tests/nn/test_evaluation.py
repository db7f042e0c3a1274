from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from vae.nn.evaluation import Bounds, bounds, summarize
from vae.nn.model import VAE

NOISE, WEIGHTS = 0.5, np.array([[1.0, -2.0, 0.5], [0.0, 1.5, 1.0]])


class LinearGaussian(SimpleNamespace):
    """x = z W + NOISE * noise, z ~ N(0, I) in 2-D: log p(x) and the posterior are known."""

    def __init__(self, shift: float) -> None:
        """`shift` moves the mean of q(z|x) off the true posterior's; its covariance is diagonal, the true one not.

        Its variances are twice the true ones, so that the importance weights have a variance.
        """
        covariance = np.linalg.inv(np.eye(2) + WEIGHTS @ WEIGHTS.T / NOISE**2)
        self.to_mean = tf.constant(WEIGHTS.T / NOISE**2 @ covariance, tf.float32)
        self.log_var = tf.constant(np.log(2 * np.diag(covariance)), tf.float32)
        self.shift = shift

    def encode(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean = tf.reshape(images, (-1, 3)) @ self.to_mean + self.shift
        return mean, tf.zeros_like(mean) + self.log_var

    def decoder(self, z: tf.Tensor) -> tf.Tensor:
        return z @ tf.constant(WEIGHTS, tf.float32)

    @staticmethod
    def reconstruction(images: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
        squares = tf.reduce_sum(tf.square(tf.reshape(images, (-1, 3)) - mean), axis=-1)
        return 0.5 * squares / NOISE**2 + 1.5 * np.log(2 * np.pi * NOISE**2)


def linear_bounds(images: NDArray[np.float32], samples: int, shift: float = 0.1, seed: int = 0) -> Bounds:
    model = LinearGaussian(shift)
    return bounds(model, images, samples=samples, batch_size=4, seed=seed, reconstruction=LinearGaussian.reconstruction)


@pytest.fixture
def observed() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(6, 1, 3, 1)).astype("float32")


@pytest.fixture
def log_likelihood(observed: NDArray[np.float32]) -> NDArray[np.float64]:
    covariance = WEIGHTS.T @ WEIGHTS + NOISE**2 * np.eye(3)
    return np.asarray(multivariate_normal(np.zeros(3), covariance).logpdf(observed.reshape(6, 3)))


@pytest.mark.slow
def test_with_many_samples_the_bound_is_the_exact_likelihood(
    observed: NDArray[np.float32], log_likelihood: NDArray[np.float64]
) -> None:
    found = linear_bounds(observed, samples=5000)
    np.testing.assert_allclose(found.importance_weighted, -log_likelihood, atol=0.05)
    assert (found.reconstruction + found.kl > 0.5 - log_likelihood).all()


def test_with_the_true_posterior_each_sample_gives_the_exact_likelihood() -> None:
    # one latent dimension feeds one pixel, so that the true posterior is diagonal
    class Exact(LinearGaussian):
        def encode(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            x = tf.reshape(images, (-1, 2))
            return x / 1.25, tf.zeros_like(x) + float(np.log(0.2))

        def decoder(self, z: tf.Tensor) -> tf.Tensor:
            return z

        @staticmethod
        def reconstruction(images: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
            squares = tf.reduce_sum(tf.square(tf.reshape(images, (-1, 2)) - mean), axis=-1)
            return 2 * squares + np.log(2 * np.pi * 0.25)

    x = np.random.default_rng(1).normal(size=(5, 1, 2, 1)).astype("float32")
    expected = -multivariate_normal(np.zeros(2), 1.25 * np.eye(2)).logpdf(x.reshape(5, 2))
    for samples in (1, 7):
        found = bounds(Exact(0), x, samples=samples, batch_size=5, seed=0, reconstruction=Exact.reconstruction)
        np.testing.assert_allclose(found.importance_weighted, expected, rtol=1e-5)


@pytest.mark.slow
def test_the_bound_rises_with_the_number_of_samples(
    observed: NDArray[np.float32], log_likelihood: NDArray[np.float64]
) -> None:
    many = np.repeat(observed[:1], 2000, axis=0)  # 2,000 draws of the bound of one image
    means, errors = {}, {}
    for samples in (1, 5, 50):
        model = LinearGaussian(0.3)
        found = bounds(
            model, many, samples=samples, batch_size=2000, seed=0, reconstruction=LinearGaussian.reconstruction
        )
        means[samples] = -found.importance_weighted.mean()
        errors[samples] = found.importance_weighted.std() / np.sqrt(2000)
    assert means[1] + 4 * errors[1] < means[5]
    assert means[5] + 4 * errors[5] < means[50]
    assert means[50] < log_likelihood[0] + 4 * errors[50]


def test_one_sample_gives_the_elbo(images: NDArray[np.float32]) -> None:
    # for one sample, log p(x|z) + log p(z) - log q(z|x); on average over the samples, the ELBO
    model = VAE(2)
    many = np.repeat(images[:1], 4000, axis=0)
    found = bounds(model, many, samples=1, batch_size=2000, seed=0)
    difference = found.importance_weighted - (found.reconstruction + found.kl)
    assert difference.std() > 0
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(many))


def test_bounds_without_posterior_noise_equal_the_formula(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    # the least log-variance makes every sample the mean
    model.encoder.get_layer("z_log_var").bias.assign(np.full(10, -30.0))
    model.encoder.get_layer("z_log_var").kernel.assign(np.zeros((1600, 10)))
    found = bounds(model, images, samples=3, batch_size=4, seed=0)
    mean = np.asarray(model.encode(images)[0], "float64")
    p = np.asarray(model.decode(mean), "float64")
    expected = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found.reconstruction, expected, rtol=1e-5)
    np.testing.assert_allclose(found.kl, 0.5 * (mean**2 + np.exp(-30) - 1 + 30).sum(axis=1), rtol=1e-5)


def test_weights_too_small_for_floating_point_are_no_obstacle(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    model.decoder.set_weights([8 * w for w in model.decoder.get_weights()])
    found = bounds(model, images, samples=5, batch_size=6, seed=0)
    assert found.reconstruction.min() > 1000  # exp(-1000) is 0
    assert np.isfinite(found.importance_weighted).all()
    assert (found.importance_weighted < found.reconstruction + found.kl).all()


def test_noise_is_the_posterior_s_own_whatever_the_model_was_trained_with(images: NDArray[np.float32]) -> None:
    noisy, nearly_still = VAE(10, epsilon_std=1.0), VAE(10, epsilon_std=1e-4)
    nearly_still.set_weights(noisy.get_weights())
    first, second = (bounds(m, images, samples=2, batch_size=6, seed=0) for m in (noisy, nearly_still))
    np.testing.assert_array_equal(first.reconstruction, second.reconstruction)


def test_samples_are_averaged(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    model.decoder.set_weights([20 * w for w in model.decoder.get_weights()])  # so that the noise matters
    draws = bounds(model, np.repeat(images[:1], 1000, axis=0), samples=1, batch_size=500, seed=0).reconstruction
    average = bounds(model, images[:1], samples=1000, batch_size=1, seed=1).reconstruction[0]
    standard_error = draws.std(ddof=1) / np.sqrt(1000)
    assert standard_error > 0
    assert abs(average - draws.mean()) < 4 * np.sqrt(2) * standard_error


def test_seed_decides_the_noise(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    first, same, other = (
        bounds(model, images, samples=1, batch_size=4, seed=seed).reconstruction for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_summary_gives_means_and_standard_errors() -> None:
    parts = Bounds(
        reconstruction=np.array([1.0, 2.0, 3.0, 6.0]),
        kl=np.array([1.0, 1.0, 2.0, 2.0]),
        importance_weighted=np.array([1.0, 2.0, 4.0, 5.0]),
    )
    summary = summarize(parts, entropy=np.array([0.5, 0.5, 0.5, 2.5]))
    assert summary == {
        "loss": 4.5,
        "reconstruction": 3.0,
        "kl": 1.5,
        "importance_weighted": 3.0,
        "entropy": 1.0,
        "standard_error": {
            "loss": pytest.approx(np.std([2, 3, 5, 8], ddof=1) / 2),
            "reconstruction": pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2),
            "kl": pytest.approx(np.std([1, 1, 2, 2], ddof=1) / 2),
            "importance_weighted": pytest.approx(np.std([1, 2, 4, 5], ddof=1) / 2),
            "entropy": pytest.approx(0.5),
        },
    }
