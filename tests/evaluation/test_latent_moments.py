import numpy as np
import pytest

from vae.evaluation.latent_moments import Moments
from vae.evaluation.posterior import draw_posterior


def test_the_moments_of_the_aggregate_posterior_are_those_of_its_draws() -> None:
    rng = np.random.default_rng(0)
    z_mean = (rng.normal(size=(20, 2)) * [3, 0.1] + [5, -1]).astype("float32")
    z_log_var = rng.normal(-1, 1, (20, 2)).astype("float32")
    moments = Moments.of_aggregate_posterior(z_mean, z_log_var)
    draws = draw_posterior(np.repeat(z_mean, 20_000, axis=0), np.repeat(z_log_var, 20_000, axis=0), seed=1)
    assert moments.mean.tolist() == pytest.approx(draws.mean(axis=0), abs=0.01)
    assert moments.std.tolist() == pytest.approx(draws.std(axis=0), rel=0.01)
    assert not moments.is_prior


def test_the_moments_of_two_posteriors_follow_by_hand() -> None:
    z_mean, z_log_var = np.array([[1.0], [5.0]], "float32"), np.log(np.array([[2.0], [8.0]], "float32"))
    moments = Moments.of_aggregate_posterior(z_mean, z_log_var)
    assert (moments.mean.tolist(), moments.std.tolist()) == ([3], [pytest.approx(3)])  # 4 + (2 + 8) / 2 = 3²


def test_collapsed_posteriors_of_one_image_have_moments_too() -> None:
    moments = Moments.of_aggregate_posterior(np.zeros((1, 2), "float32"), np.full((1, 2), -30, "float32"))
    assert moments.std.tolist() == pytest.approx([np.exp(-15)] * 2)


def test_units_become_latent_vectors_and_back() -> None:
    moments = Moments(np.array([2.0, -1]), np.array([3.0, 0.5]))
    units = np.array([[[0, 0], [1, -2]]], "float32")
    z = moments.to_latents(units)
    assert z.tolist() == [[[2, -1], [5, -2]]]
    assert z.dtype == np.float32
    mean, log_var = moments.standardize(z[0], np.log(np.array([[9, 0.25], [36, 1]], "float32")))
    np.testing.assert_allclose(mean, units[0])
    np.testing.assert_allclose(np.exp(log_var), [[1, 1], [4, 4]], rtol=1e-6)


def test_the_moments_of_the_standard_prior_change_no_bit() -> None:
    moments = Moments.of_standard_prior(3)
    values = np.random.default_rng(0).normal(size=(2, 50, 3)).astype("float32")
    assert moments.is_prior
    assert moments.to_latents(values).tobytes() == values.tobytes()
    for same, value in zip(moments.standardize(*values), values, strict=True):
        np.testing.assert_array_equal(same, value)
