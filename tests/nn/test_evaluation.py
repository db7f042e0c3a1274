import numpy as np
import pytest
from numpy.typing import NDArray

from vae.nn.evaluation import Terms, elbo_terms, summarize
from vae.nn.model import VAE


def test_terms_without_posterior_noise_equal_the_formula(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    # a log-variance of -60 makes every sample the mean
    model.encoder.get_layer("z_log_var").bias.assign(np.full(10, -60.0))
    model.encoder.get_layer("z_log_var").kernel.assign(np.zeros((1600, 10)))
    terms = elbo_terms(model, images, samples=3, batch_size=4, seed=0)
    mean = np.asarray(model.encode(images)[0], "float64")
    p = np.asarray(model.decode(mean), "float64")
    expected = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(terms.reconstruction, expected, rtol=1e-5)
    np.testing.assert_allclose(terms.kl, 0.5 * (mean**2 + np.exp(-60) - 1 + 60).sum(axis=1), rtol=1e-5)


def test_noise_is_the_posterior_s_own_whatever_the_model_was_trained_with(images: NDArray[np.float32]) -> None:
    noisy, nearly_still = VAE(10, epsilon_std=1.0), VAE(10, epsilon_std=1e-4)
    nearly_still.set_weights(noisy.get_weights())
    first, second = (elbo_terms(m, images, samples=2, batch_size=6, seed=0) for m in (noisy, nearly_still))
    np.testing.assert_array_equal(first.reconstruction, second.reconstruction)


def test_samples_are_averaged(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    model.decoder.set_weights([20 * w for w in model.decoder.get_weights()])  # so that the noise matters
    draws = elbo_terms(model, np.repeat(images[:1], 1000, axis=0), samples=1, batch_size=500, seed=0).reconstruction
    average = elbo_terms(model, images[:1], samples=1000, batch_size=1, seed=1).reconstruction[0]
    standard_error = draws.std(ddof=1) / np.sqrt(1000)
    assert standard_error > 0
    assert abs(average - draws.mean()) < 4 * np.sqrt(2) * standard_error


def test_seed_decides_the_noise(images: NDArray[np.float32]) -> None:
    model = VAE(10)
    first, same, other = (
        elbo_terms(model, images, samples=1, batch_size=4, seed=seed).reconstruction for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_summary_gives_means_and_standard_errors() -> None:
    terms = Terms(reconstruction=np.array([1.0, 2.0, 3.0, 6.0]), kl=np.array([1.0, 1.0, 2.0, 2.0]))
    summary = summarize(terms, samples=7)
    assert summary == {
        "loss": 4.5,
        "reconstruction": 3.0,
        "kl": 1.5,
        "standard_error": {
            "loss": pytest.approx(np.std([2, 3, 5, 8], ddof=1) / 2),
            "reconstruction": pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2),
            "kl": pytest.approx(np.std([1, 1, 2, 2], ddof=1) / 2),
        },
        "images": 4,
        "samples_per_image": 7,
    }
