"""The bound on the log-variance, and the reparameterization trick."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from vae.model.priors.standard import StandardNormal
from vae.model.sampling import MAX_ABS_LOG_VAR, Sampling, bounded


def kl_and_gradient(z_log_var: NDArray[np.float32], bound: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x = tf.constant(z_log_var)
    with tf.GradientTape() as tape:
        tape.watch(x)
        kl = StandardNormal(1).kl(tf.zeros_like(x), bounded(x) if bound else x)
    return kl.numpy(), tape.gradient(kl, x).numpy()


def test_bound_does_not_change_the_kl_or_its_gradient_within_it() -> None:
    within = np.linspace(-MAX_ABS_LOG_VAR, MAX_ABS_LOG_VAR, 61, dtype="float32").reshape(-1, 1)
    for bound, free in zip(kl_and_gradient(within, True), kl_and_gradient(within, False), strict=True):
        np.testing.assert_array_equal(bound, free)


@pytest.mark.parametrize(("z_log_var", "sign"), [(31, 1), (89, 1), (3e38, 1), (-31, -1), (-3e38, -1)])
def test_gradient_moves_a_log_variance_beyond_the_bound_back(z_log_var: float, sign: int) -> None:
    kl, gradient = kl_and_gradient(np.array([[z_log_var]], "float32"), True)
    at_the_bound = 0.5 * (np.exp(sign * MAX_ABS_LOG_VAR) - 1 - sign * MAX_ABS_LOG_VAR)
    np.testing.assert_allclose(kl, [at_the_bound], rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0.5 * (np.exp(sign * MAX_ABS_LOG_VAR) - 1)]], rtol=1e-6)


def noise_of(sampling: Sampling, count: int) -> NDArray[np.float32]:
    return np.asarray(sampling(np.zeros((count, 2), "float32"), np.zeros((count, 2), "float32")))


def test_samples_have_the_mean_and_the_variance_of_the_posterior() -> None:
    mean, log_var = np.array([[3.0, -1.0]]), np.array([[0.5, -2.0]])
    count = 200_000
    z = np.asarray(Sampling(seed=0)(np.repeat(mean, count, 0), np.repeat(log_var, count, 0)))
    variance = np.exp(log_var[0])
    assert np.all(np.abs(z.mean(0) - mean[0]) < 4 * np.sqrt(variance / count))
    assert np.all(np.abs(z.var(0) / variance - 1) < 4 * np.sqrt(2 / count))


def test_epsilon_std_scales_the_noise() -> None:
    np.testing.assert_allclose(noise_of(Sampling(1e-4, seed=0), 8), 1e-4 * noise_of(Sampling(seed=0), 8), rtol=1e-5)


def test_noise_follows_the_seed_and_differs_between_calls() -> None:
    first, second = Sampling(seed=0), Sampling(seed=0)
    draws = noise_of(first, 8)
    np.testing.assert_array_equal(draws, noise_of(second, 8))
    assert not np.any(draws == noise_of(first, 8))


def test_gradient_flows_through_the_sample() -> None:
    mean, log_var = tf.constant([[0.3, -0.7]]), tf.constant([[0.2, -0.4]])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        z = Sampling(seed=0)(mean, log_var)
    by_mean, by_log_var = tape.gradient(z, [mean, log_var])
    # dz/dmean = 1; dz/dlog_var = exp(log_var / 2) epsilon / 2 = (z - mean) / 2
    np.testing.assert_allclose(by_mean, np.ones((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(by_log_var, (z - mean) / 2, rtol=1e-5)


def test_sampling_can_be_rebuilt_from_its_configuration() -> None:
    layer = Sampling(0.5, seed=3, name="noise")
    np.testing.assert_array_equal(noise_of(Sampling.from_config(layer.get_config()), 8), noise_of(layer, 8))
