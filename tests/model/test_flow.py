"""The RealNVP prior: a density, its Jacobian, its inverse, and that it learns what a Gaussian cannot fit."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import stats

from vae.model.priors.flow import RealNVP

STEP = 0.05
AXIS = np.arange(-25, 25, STEP)


def random_flow(latent_dim: int, couplings: int, scale: float = 0.8) -> RealNVP:
    """Return a flow with random weights, far from the identity."""
    flow, rng = RealNVP(latent_dim, couplings=couplings, hidden=16), np.random.default_rng(0)
    flow.set_weights([scale * rng.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in flow.get_weights()])
    return flow


@pytest.fixture(scope="module")
def flow() -> RealNVP:
    return random_flow(2, couplings=5, scale=0.6)


@pytest.fixture(scope="module")
def grid(flow: RealNVP) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a grid, (n, 2), and the probability in the cell of each, (n,)."""
    points = np.stack(np.meshgrid(AXIS, AXIS), axis=-1).reshape(-1, 2)
    return points, np.exp(np.asarray(flow.log_prob(points), "float64")) * STEP**2


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_an_untrained_flow_is_the_standard_normal(latent_dim: int) -> None:
    z = 3 * np.random.default_rng(0).normal(size=(7, latent_dim))
    expected = stats.multivariate_normal(np.zeros(latent_dim)).logpdf(z)
    np.testing.assert_allclose(RealNVP(latent_dim).log_prob(z), expected, rtol=1e-5)


def test_the_density_integrates_to_one(grid: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    assert grid[1].sum() == pytest.approx(1, abs=1e-3)


def test_samples_have_the_moments_and_the_entropy_of_the_density(
    flow: RealNVP, grid: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> None:
    points, mass = grid
    z = np.asarray(flow.sample(20_000, seed=1), "float64")
    log_prob = np.asarray(flow.log_prob(z), "float64")
    seen = mass > 0
    for measured, expected in (
        (log_prob, (mass[seen] * np.log(mass[seen] / STEP**2)).sum()),
        *zip(z.T, mass @ points, strict=True),
        *zip((z**2).T, mass @ points**2, strict=True),
        (z[:, 0] * z[:, 1], mass @ (points[:, 0] * points[:, 1])),
    ):
        assert abs(measured.mean() - expected) < 4 * measured.std() / np.sqrt(len(z))


@pytest.mark.parametrize(("latent_dim", "couplings"), [(2, 3), (5, 3), (5, 4), (40, 8)])
def test_the_log_determinant_is_that_of_the_jacobian_by_automatic_differentiation(
    latent_dim: int, couplings: int
) -> None:
    flow = random_flow(latent_dim, couplings)
    z = tf.constant(np.random.default_rng(1).normal(size=(6, latent_dim)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(z)
        u, log_det = flow.to_noise(z)
    sign, expected = np.linalg.slogdet(np.asarray(tape.batch_jacobian(u, z), "float64"))
    assert np.all(sign != 0)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("latent_dim", "couplings"), [(2, 3), (5, 3), (5, 4), (40, 8)])
def test_sampling_inverts_the_map_of_the_density(latent_dim: int, couplings: int) -> None:
    flow = random_flow(latent_dim, couplings)
    u = np.random.default_rng(2).normal(size=(100, latent_dim)).astype("float32")
    z = flow.to_latents(u)
    assert np.abs(np.asarray(z) - u).max() > 0.5
    np.testing.assert_allclose(flow.to_noise(z)[0], u, atol=1e-4)


def test_every_dimension_is_mapped_and_depends_on_all_others() -> None:
    flow, z = random_flow(5, couplings=4), tf.constant(np.random.default_rng(1).normal(size=(1, 5)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(z)
        u, _ = flow.to_noise(z)
    assert np.all(np.asarray(tape.batch_jacobian(u, z)) != 0)


def test_density_and_gradients_stay_finite_at_extreme_weights_and_latents() -> None:
    flow = random_flow(4, couplings=8, scale=3.0)
    z = tf.constant(np.array([[0, 0, 0, 0], [1e4, -1e4, 1e4, -1e4], [1e-30, 1e3, 0, -1e3]]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(z)
        log_prob = flow.log_prob(z)
    assert np.all(np.isfinite(log_prob))
    for gradient in tape.gradient(log_prob, [z, *(weight.value for weight in flow.trainable_weights)]):
        assert np.all(np.isfinite(gradient))
