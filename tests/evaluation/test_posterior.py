import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vae.evaluation.posterior import (
    draw_posterior,
    kl_per_dimension,
    moment_kl,
    mutual_information,
    standard_error_of_variance,
    summarize,
    variance_of_means,
)


def test_kl_of_a_shifted_unit_gaussian_is_half_the_squared_shift() -> None:
    kl = kl_per_dimension(np.array([[1.0, 3.0, 0.0]], "float32"), np.zeros((1, 3), "float32"))
    np.testing.assert_allclose(kl, [[0.5, 4.5, 0.0]])


def test_kl_matches_the_integral() -> None:
    mean, log_var = 0.7, -1.3
    x = np.linspace(-20, 20, 200_001)
    q, p = multivariate_normal(mean, np.exp(log_var)), multivariate_normal(0, 1)
    integral = np.trapezoid(np.exp(q.logpdf(x)) * (q.logpdf(x) - p.logpdf(x)), x)
    kl = kl_per_dimension(np.array([[mean]], "float32"), np.array([[log_var]], "float32"))
    assert kl[0, 0] == pytest.approx(integral, rel=1e-6)


def test_variance_of_means_is_taken_over_the_images() -> None:
    np.testing.assert_allclose(variance_of_means(np.array([[0, 5], [2, 5], [4, 5]], "float32")), [4, 0])


def test_standard_error_of_a_variance_is_its_deviation_over_repetitions() -> None:
    draws = np.random.default_rng(0).exponential(size=(400, 3000)).astype("float32")
    errors = standard_error_of_variance(draws.T)
    assert errors.mean() == pytest.approx(draws.var(axis=1).std(), rel=0.1)


def test_draws_follow_the_mean_and_variance_of_the_posterior() -> None:
    z_mean, z_log_var = (np.tile(np.array(row, "float32"), (20_000, 1)) for row in ([3, -1], [0, -4]))
    z = draw_posterior(z_mean, z_log_var, seed=0)
    np.testing.assert_allclose(z.mean(axis=0), [3, -1], atol=0.03)
    np.testing.assert_allclose(z.std(axis=0), [1, np.exp(-2)], rtol=0.02)


@pytest.mark.parametrize(("groups", "expected"), [(1, 0.0), (2, np.log(2)), (600, np.log(600))])
def test_information_is_the_logarithm_of_the_number_of_distinct_posteriors(groups: int, expected: float) -> None:
    z_mean = np.zeros((600, 3), "float32")
    z_mean[:, 1] = 10 * (np.arange(600) % groups)
    information = mutual_information(z_mean, np.full((600, 3), -2.0, "float32"), seed=0)
    np.testing.assert_allclose(information, expected, atol=1e-6)


def test_information_of_overlapping_posteriors_matches_scipy() -> None:
    rng = np.random.default_rng(1)
    z_mean, z_log_var = rng.normal(size=(2, 40, 2)).astype("float32")
    information = mutual_information(z_mean, z_log_var, seed=3)
    z = draw_posterior(z_mean, z_log_var, seed=3)
    density = np.array(
        [multivariate_normal(m, np.diag(np.exp(v))).pdf(z) for m, v in zip(z_mean, z_log_var, strict=True)]
    )
    np.testing.assert_allclose(information, np.log(np.diag(density) / density.mean(axis=0)), rtol=1e-5)


@pytest.mark.parametrize("densities", [1, 130, 10**9])
def test_information_does_not_depend_on_how_many_densities_are_held(
    densities: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    z_mean, z_log_var = np.random.default_rng(1).normal(size=(2, 41, 3)).astype("float32")
    expected = mutual_information(z_mean, z_log_var, seed=3)
    monkeypatch.setattr("vae.evaluation.posterior.MAX_DENSITIES", densities)
    np.testing.assert_allclose(mutual_information(z_mean, z_log_var, seed=3), expected, rtol=1e-12)


def test_information_approaches_the_capacity_of_a_gaussian_channel() -> None:
    # z = x + noise with x ~ N(0, 3) and noise ~ N(0, 1): I(x; z) = log(1 + 3) / 2, if n is much larger than exp(I).
    z_mean = np.random.default_rng(2).normal(scale=np.sqrt(3), size=(4000, 1)).astype("float32")
    information = mutual_information(z_mean, np.zeros((4000, 1), "float32"), seed=0)
    assert abs(information.mean() - 0.5 * np.log(4)) < 4 * information.std() / np.sqrt(4000)


def test_information_saturates_where_moment_kl_does_not() -> None:
    # 1,000 narrow posteriors whose aggregate is the prior: information beyond log n cannot be estimated.
    variance = 0.001
    z_mean = np.random.default_rng(3).normal(scale=np.sqrt(1 - variance), size=(1000, 10)).astype("float32")
    z_log_var = np.full((1000, 10), np.log(variance), "float32")
    summary = summarize(z_mean, z_log_var, seed=0)
    assert summary["mutual_information"] == pytest.approx(summary["log_images"], abs=1e-3)
    assert summary["marginal_kl"] > 20
    assert 0 < summary["moment_kl"] < 0.1


def test_moment_kl_is_exact_for_one_gaussian() -> None:
    # All posteriors are N(m, v), and so is their aggregate.
    z_mean, z_log_var = (np.tile(np.array(row, "float32"), (50, 1)) for row in ([0.5, -2], [-1, 0.7]))
    assert moment_kl(z_mean, z_log_var) == pytest.approx(kl_per_dimension(z_mean, z_log_var)[0].sum(), rel=1e-6)


def test_moment_kl_includes_correlations() -> None:
    z_mean = np.random.default_rng(0).multivariate_normal([0, 0], [[0.9, 0.8], [0.8, 0.9]], size=50_000)
    found = moment_kl(z_mean.astype("float32"), np.full(z_mean.shape, np.log(0.1), "float32"))
    assert found == pytest.approx(-0.5 * np.log(1 - 0.8**2), rel=0.03)


def test_moments_of_a_diverged_model_give_no_finite_metric_and_no_warning() -> None:
    z_mean = np.outer(np.arange(5), [1e9, 1e9]).astype("float32")
    summary = summarize(z_mean, np.full((5, 2), -20.0, "float32"), seed=0)
    assert summary["moment_kl"] == np.inf
    assert np.isnan(summary["standard_error"]["moment_kl"])


def test_summary_splits_the_mean_kl_and_counts_active_units() -> None:
    rng = np.random.default_rng(0)
    z_mean = (rng.normal(size=(500, 3)) * [2.0, 0.09, 0.5]).astype("float32")
    z_log_var = np.tile(np.array([-2.0, 0.0, -1.0], "float32"), (500, 1))
    summary = summarize(z_mean, z_log_var, seed=1)
    kl = kl_per_dimension(z_mean, z_log_var).sum(axis=1)
    assert summary["active_units"] == 2
    assert summary["mutual_information"] + summary["marginal_kl"] == pytest.approx(kl.mean())
    assert summary["moment_kl"] < summary["marginal_kl"]
    assert summary["mutual_information"] < summary["log_images"] == pytest.approx(np.log(500))
    information = mutual_information(z_mean, z_log_var, seed=1)
    assert summary["standard_error"] == {
        "mutual_information": pytest.approx(information.std(ddof=1) / np.sqrt(500)),
        "marginal_kl": pytest.approx((kl - information).std(ddof=1) / np.sqrt(500)),
        "moment_kl": summary["standard_error"]["moment_kl"],
        "active_units": summary["standard_error"]["active_units"],
    }


def test_standard_error_of_moment_kl_is_its_deviation_over_repetitions() -> None:
    rng = np.random.default_rng(0)
    draws = (1.5 * rng.normal(size=(200, 400, 2)) + 1).astype("float32")
    z_log_var = np.full((400, 2), -2.0, "float32")
    spread = np.std([moment_kl(z_mean, z_log_var) for z_mean in draws], ddof=1)
    error = np.mean([summarize(z_mean, z_log_var, seed=0)["standard_error"]["moment_kl"] for z_mean in draws[:10]])
    assert error == pytest.approx(spread, rel=0.2)


def test_standard_error_of_active_units_comes_from_dimensions_at_the_limit() -> None:
    rng = np.random.default_rng(0)
    z_mean = (rng.normal(size=(500, 3)) * [1.0, 0.1, 0.001]).astype("float32")
    z_mean[:, 1] *= 0.1 / z_mean[:, 1].std(ddof=1)  # active in about half of the resamples
    found = summarize(z_mean, np.zeros((500, 3), "float32"), seed=0)["standard_error"]["active_units"]
    assert found == pytest.approx(0.5, abs=0.05)
    without = summarize(z_mean[:, ::2], np.zeros((500, 2), "float32"), seed=0)["standard_error"]["active_units"]
    assert without == 0
