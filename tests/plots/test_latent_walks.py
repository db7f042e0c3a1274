import numpy as np
import pytest
from scipy.stats import norm

from vae.plots.latent_walks import gaussian_quantiles, interpolations, plane, traversals


def test_a_traversal_moves_one_dimension_per_row_and_keeps_the_others_at_zero() -> None:
    z = traversals(3, [2, 0], np.array([-1.0, 0.5]))
    assert z.tolist() == [[[0, 0, -1], [0, 0, 0.5]], [[-1, 0, 0], [0.5, 0, 0]]]
    assert z.dtype == np.float32


def test_an_interpolation_goes_straight_from_start_to_end_in_equal_steps() -> None:
    starts, ends = np.array([[0, 4], [1, 1]], "float32"), np.array([[2, 0], [1, -1]], "float32")
    z = interpolations(starts, ends, 3)
    assert z.tolist() == [[[0, 4], [1, 2], [2, 0]], [[1, 1], [1, 0], [1, -1]]]
    assert z.dtype == np.float32


def test_quantiles_are_the_centers_of_equally_probable_parts_of_the_prior() -> None:
    np.testing.assert_allclose(gaussian_quantiles(4), norm.ppf([0.125, 0.375, 0.625, 0.875]), atol=1e-12)


def test_a_plane_grows_with_the_column_and_with_the_row() -> None:
    z = plane(3, [2, 0], np.array([-1.0, 1.0]))
    assert z.tolist() == [[[-1, 0, -1], [-1, 0, 1]], [[1, 0, -1], [1, 0, 1]]]


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_plane_of_one_dimension_is_a_line(latent_dim: int) -> None:
    z = plane(latent_dim, [0], np.array([-1.0, 0.0, 1.0]))
    assert z.shape == (1, 3, latent_dim)
    assert z[0, :, 0].tolist() == [-1, 0, 1]
    assert not z[..., 1:].any()
