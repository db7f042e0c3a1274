import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vae.posterior import (
    kl_per_dimension,
    mutual_information,
    standard_error_of_variance,
    summarize,
    variance_of_means,
)


def test_kl_of_a_shifted_unit_gaussian_is_half_the_squared_shift() -> None:
    kl = kl_per_dimension(np.array([[1.0, 3.0, 0.0]], "float32"), np.zeros((1, 3), "float32"))
    np.testing.assert_allclose(kl, [[0.5, 4.5, 0.0]])


def test_kl_agrees_with_the_integral() -> None:
    mean, log_var = 0.7, -1.3
    x = np.linspace(-20, 20, 200_001)
    q, p = multivariate_normal(mean, np.exp(log_var)), multivariate_normal(0, 1)
    integral = np.trapezoid(np.exp(q.logpdf(x)) * (q.logpdf(x) - p.logpdf(x)), x)
    kl = kl_per_dimension(np.array([[mean]], "float32"), np.array([[log_var]], "float32"))
    assert kl[0, 0] == pytest.approx(integral, rel=1e-6)


def test_variance_of_means_is_over_the_images() -> None:
    np.testing.assert_allclose(variance_of_means(np.array([[0, 5], [2, 5], [4, 5]], "float32")), [4, 0])


def test_standard_error_of_a_variance_is_its_spread_over_repetitions() -> None:
    draws = np.random.default_rng(0).exponential(size=(400, 3000)).astype("float32")
    errors = standard_error_of_variance(draws.T)
    assert errors.mean() == pytest.approx(draws.var(axis=1).std(), rel=0.1)


@pytest.mark.parametrize(("groups", "expected"), [(1, 0.0), (2, np.log(2)), (600, np.log(600))])
def test_information_is_the_logarithm_of_the_number_of_posteriors_told_apart(groups: int, expected: float) -> None:
    z_mean = np.zeros((600, 3), "float32")
    z_mean[:, 1] = 10 * (np.arange(600) % groups)
    information = mutual_information(z_mean, np.full((600, 3), -2.0, "float32"), seed=0)
    np.testing.assert_allclose(information, expected, atol=1e-6)


def test_information_of_overlapping_posteriors_agrees_with_densities_of_scipy() -> None:
    rng = np.random.default_rng(1)
    z_mean, z_log_var = rng.normal(size=(2, 40, 2)).astype("float32")
    information = mutual_information(z_mean, z_log_var, seed=3)
    noise = np.random.default_rng(3).normal(size=(40, 2))
    z = z_mean + np.exp(0.5 * z_log_var.astype("float64")) * noise
    density = np.array(
        [multivariate_normal(m, np.diag(np.exp(v))).pdf(z) for m, v in zip(z_mean, z_log_var, strict=True)]
    )
    np.testing.assert_allclose(information, np.log(np.diag(density) / density.mean(axis=0)), rtol=1e-5)


def test_information_approaches_that_of_a_gaussian_channel() -> None:
    # z = x + noise with x ~ N(0, 3), noise ~ N(0, 1): I(x; z) = log(1 + 3) / 2, if n is many times exp(I)
    z_mean = np.random.default_rng(2).normal(scale=np.sqrt(3), size=(4000, 1)).astype("float32")
    information = mutual_information(z_mean, np.zeros((4000, 1), "float32"), seed=0)
    assert abs(information.mean() - 0.5 * np.log(4)) < 4 * information.std() / np.sqrt(4000)


def test_summary_splits_the_rate_and_counts_active_units() -> None:
    rng = np.random.default_rng(0)
    z_mean = (rng.normal(size=(500, 3)) * [2.0, 0.09, 0.5]).astype("float32")
    z_log_var = np.tile(np.array([-2.0, 0.0, -1.0], "float32"), (500, 1))
    summary = summarize(z_mean, z_log_var, seed=0)
    kl = kl_per_dimension(z_mean, z_log_var)
    assert summary["active_units"] == 2
    assert list(summary["kl_per_dimension"]) == ["0", "1", "2"]
    assert list(summary["kl_per_dimension"].values()) == pytest.approx(kl.mean(axis=0).tolist())
    assert summary["mutual_information"] + summary["marginal_kl"] == pytest.approx(kl.sum(axis=1).mean())
    assert summary["mutual_information"] < summary["log_images"] == pytest.approx(np.log(500))
    errors = summary["standard_error"]
    assert errors["kl_per_dimension"]["0"] == pytest.approx(kl[:, 0].std(ddof=1) / np.sqrt(500))
    assert set(errors) == {"kl_per_dimension", "variance_of_means", "mutual_information", "marginal_kl"}
