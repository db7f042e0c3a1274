import numpy as np
import pytest

from vae.evaluation.latent_dimensions import by_kl
from vae.evaluation.posterior import standard_error_of_variance


def test_dimensions_are_ordered_by_their_kl() -> None:
    # The KL at unit variance is mean² / 2: 0 and 0 in the first dimension, 0.5 and 4.5 in the second, 2 and 2 in the
    # third.
    z_mean = np.array([[0, 1, 2], [0, -3, 2]], "float32")
    table = by_kl(z_mean, np.zeros((2, 3), "float32"))
    assert table.dimension.tolist() == [1, 2, 0]
    assert table.kl.tolist() == pytest.approx([2.5, 2, 0])
    assert table.standard_error.tolist() == pytest.approx([2, 0, 0])
    assert table.variance_of_means.tolist() == pytest.approx([8, 0, 0])


def test_a_dimension_is_active_if_its_means_vary_by_more_than_a_hundredth() -> None:
    z_mean = np.array([[0, 0], [0.13, 0.15]], "float32")  # variances 0.00845 and 0.01125
    table = by_kl(z_mean, np.zeros((2, 2), "float32"))
    assert dict(zip(table.dimension, table.active, strict=True)) == {0: False, 1: True}


def test_equal_dimensions_keep_their_order() -> None:
    assert by_kl(np.ones((3, 40), "float32"), np.zeros((3, 40), "float32")).dimension.tolist() == list(range(40))


def test_each_dimension_has_the_standard_error_of_its_own_variance() -> None:
    z_mean = (np.random.default_rng(0).normal(size=(50, 3)) * [1, 3, 2]).astype("float32")
    table = by_kl(z_mean, np.zeros((50, 3), "float32"))
    assert table.dimension.tolist() == [1, 2, 0]
    assert table.variance_standard_error.tolist() == pytest.approx(standard_error_of_variance(z_mean)[[1, 2, 0]])
