import numpy as np
import pytest

from vae.posterior import kl_per_dimension, variance_of_means


def test_kl_of_each_dimension_is_the_closed_form() -> None:
    z_mean = np.array([[0, 1], [2, 0]], "float32")
    z_log_var = np.array([[0, 0], [0, 1]], "float32")
    kl = kl_per_dimension(z_mean, z_log_var)
    np.testing.assert_allclose(kl, [[0, 0.5], [2, 0.5 * (np.e - 2)]], rtol=1e-12)
    assert kl.dtype == np.float64


def test_variance_of_the_means_is_over_the_images() -> None:
    assert variance_of_means(np.array([[1, 5], [3, 5], [5, 5]], "float32")).tolist() == pytest.approx([4, 0])
