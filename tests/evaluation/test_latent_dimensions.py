import numpy as np
import pytest
from numpy.typing import NDArray

from vae.evaluation.latent_dimensions import by_kl
from vae.evaluation.latent_moments import Moments
from vae.evaluation.posterior import kl_per_dimension, standard_error_of_variance, summarize


def test_dimensions_are_ordered_by_their_kl() -> None:
    # The KL at unit variance is mean² / 2: 0 and 0 in the first dimension, 0.5 and 4.5 in the second, 2 and 2 in the
    # third.
    z_mean = np.array([[0, 1, 2], [0, -3, 2]], "float32")
    table = by_kl(z_mean, np.zeros((2, 3), "float32"), Moments.of_standard_prior(3))
    assert table.dimension.tolist() == [1, 2, 0]
    assert table.kl.tolist() == pytest.approx([2.5, 2, 0])
    assert table.standard_error.tolist() == pytest.approx([2, 0, 0])
    assert table.variance_of_means.tolist() == pytest.approx([8, 0, 0])


def test_a_dimension_is_active_if_its_means_vary_by_more_than_a_hundredth() -> None:
    z_mean = np.array([[0, 0], [0.13, 0.15]], "float32")  # variances 0.00845 and 0.01125
    table = by_kl(z_mean, np.zeros((2, 2), "float32"), Moments.of_standard_prior(2))
    assert dict(zip(table.dimension, table.active, strict=True)) == {0: False, 1: True}


@pytest.mark.parametrize("scale", [2.0**-10, 2.0**10])
def test_under_a_learned_prior_the_scale_of_a_dimension_does_not_decide_whether_it_is_active(scale: float) -> None:
    rng = np.random.default_rng(0)
    z_mean = (rng.normal(size=(200, 3)) * [1, 0.05, 0.2]).astype("float32")
    z_log_var = np.zeros((200, 3), "float32")

    def found(mean: NDArray[np.float32], log_var: NDArray[np.float32]) -> dict[int, bool]:
        table = by_kl(mean, log_var, Moments.of_aggregate_posterior(mean, log_var))
        assert summarize(mean, log_var, 0, np.ones(200))["active_units"] == table.active.sum()
        return dict(zip(table.dimension, table.active, strict=True))

    assert found(z_mean, z_log_var) == {0: True, 1: False, 2: True}
    for dimension in range(3):
        scales = np.where(np.arange(3) == dimension, scale, 1).astype("float32")
        assert found(z_mean * scales, z_log_var + 2 * np.log(scales)) == {0: True, 1: False, 2: True}


def test_equal_dimensions_keep_their_order() -> None:
    table = by_kl(np.ones((3, 40), "float32"), np.zeros((3, 40), "float32"), Moments.of_standard_prior(40))
    assert table.dimension.tolist() == list(range(40))


def test_each_dimension_has_the_standard_error_of_its_own_variance() -> None:
    z_mean = (np.random.default_rng(0).normal(size=(50, 3)) * [1, 3, 2]).astype("float32")
    table = by_kl(z_mean, np.zeros((50, 3), "float32"), Moments.of_standard_prior(3))
    assert table.dimension.tolist() == [1, 2, 0]
    assert table.variance_standard_error.tolist() == pytest.approx(standard_error_of_variance(z_mean)[[1, 2, 0]])


def test_the_kl_is_to_the_gaussian_of_each_dimension() -> None:
    rng = np.random.default_rng(0)
    z_mean, z_log_var = (rng.normal(size=(40, 3)).astype("float32") for _ in range(2))
    moments = Moments(np.array([2.0, -1, 0]), np.array([3.0, 0.5, 1]))
    table = by_kl(z_mean, z_log_var, moments).sort_values("dimension")
    # KL(N(m, v) || N(mean, std²)) = log std - log v / 2 + (v + (m - mean)²) / (2 std²) - 1 / 2
    m, v = z_mean.astype(float), np.exp(z_log_var.astype(float))
    kl = np.log(moments.std) - np.log(v) / 2 + (v + (m - moments.mean) ** 2) / (2 * moments.std**2) - 0.5
    assert table.kl.tolist() == pytest.approx(kl.mean(axis=0))
    assert table.standard_error.tolist() == pytest.approx(kl.std(axis=0, ddof=1) / np.sqrt(40))


def test_under_the_standard_prior_the_kl_is_the_one_to_the_prior_in_every_bit() -> None:
    rng = np.random.default_rng(0)
    z_mean, z_log_var = (rng.normal(size=(40, 3)).astype("float32") for _ in range(2))
    table = by_kl(z_mean, z_log_var, Moments.of_standard_prior(3)).sort_values("dimension")
    assert table.kl.tolist() == kl_per_dimension(z_mean, z_log_var).mean(axis=0).tolist()


def test_of_all_gaussians_those_of_the_aggregate_posterior_have_the_lowest_kl() -> None:
    rng = np.random.default_rng(0)
    z_mean, z_log_var = (rng.normal(size=(40, 1)).astype("float32") for _ in range(2))
    moments = Moments.of_aggregate_posterior(z_mean, z_log_var)
    lowest = by_kl(z_mean, z_log_var, moments).kl[0]
    for shift, scale in ((0.1, 1), (-0.1, 1), (0, 1.1), (0, 0.9)):
        assert by_kl(z_mean, z_log_var, Moments(moments.mean + shift, moments.std * scale)).kl[0] > lowest
