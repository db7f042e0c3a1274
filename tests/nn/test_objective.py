import keras
import numpy as np
import pytest
from keras import ops

from vae.nn.objective import kl_nats, reconstruction_nats


def test_kl_of_the_prior_itself_is_zero() -> None:
    assert ops.convert_to_numpy(kl_nats(np.zeros((1, 10)), np.zeros((1, 10)))) == 0


def test_kl_of_unit_means_in_ten_dimensions_is_five() -> None:
    assert ops.convert_to_numpy(kl_nats(np.ones((1, 10)), np.zeros((1, 10)))) == pytest.approx(5)


def test_kl_equals_the_monte_carlo_mean_of_the_log_ratio() -> None:
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    epsilon = rng.normal(size=(400_000, 3, 4))
    z = mean + np.exp(log_var / 2) * epsilon
    # log q(z) - log p(z); the normalizing constants cancel
    log_ratio = (-0.5 * (epsilon**2 + log_var) + 0.5 * z**2).sum(axis=-1)
    standard_error = log_ratio.std(axis=0) / np.sqrt(len(epsilon))
    deviation = ops.convert_to_numpy(kl_nats(mean, log_var)) - log_ratio.mean(axis=0)
    assert np.all(np.abs(deviation) < 4 * standard_error)
    assert np.all(standard_error < 0.01)


def test_reconstruction_equals_the_formula_in_numpy() -> None:
    rng = np.random.default_rng(0)
    x, logits = rng.uniform(size=(5, 28, 28, 1)), 3 * rng.normal(size=(5, 28, 28, 1))
    p = 1 / (1 + np.exp(-logits))
    expected = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(ops.convert_to_numpy(reconstruction_nats(x, logits)), expected, rtol=1e-12)


def test_reconstruction_is_784_times_keras_mean_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(5, 28, 28, 1)).astype("float32")
    logits = rng.normal(size=(5, 28, 28, 1)).astype("float32")
    mean = keras.losses.binary_crossentropy(x.reshape(5, -1), logits.reshape(5, -1), from_logits=True)
    ours = ops.convert_to_numpy(reconstruction_nats(x, logits))
    np.testing.assert_allclose(ours, 784 * ops.convert_to_numpy(mean), rtol=1e-5)


def test_reconstruction_stays_finite_and_exact_at_extreme_logits() -> None:
    logits = np.array([1e4, -1e4, 1e4, -1e4], "float32").reshape(4, 1, 1, 1)
    x = np.array([1, 0, 0, 1], "float32").reshape(4, 1, 1, 1)
    assert ops.convert_to_numpy(reconstruction_nats(x, logits)).tolist() == [0, 0, 1e4, 1e4]


def test_reconstruction_of_grey_levels_is_the_expectation_over_binarized_images() -> None:
    rng = np.random.default_rng(0)
    x, logits = rng.uniform(size=(1, 2, 2, 1)), rng.normal(size=(1, 2, 2, 1))
    # all 16 binary images, weighted with their probability under x
    binary = np.array(np.meshgrid(*[[0.0, 1.0]] * 4)).reshape(4, -1).T.reshape(-1, 2, 2, 1)
    weights = np.where(binary == 1, x, 1 - x).prod(axis=(1, 2, 3))
    nats = ops.convert_to_numpy(reconstruction_nats(binary, np.repeat(logits, 16, axis=0)))
    assert ops.convert_to_numpy(reconstruction_nats(x, logits))[0] == pytest.approx((weights * nats).sum())


def test_both_terms_of_an_empty_batch_are_empty() -> None:
    assert reconstruction_nats(np.zeros((0, 28, 28, 1)), np.zeros((0, 28, 28, 1))).shape == (0,)
    assert kl_nats(np.zeros((0, 10)), np.zeros((0, 10))).shape == (0,)
