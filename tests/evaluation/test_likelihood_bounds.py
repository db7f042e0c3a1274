from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from vae.data.shards import StoredImages, normalize
from vae.errors import InputError
from vae.evaluation import likelihood_bounds
from vae.evaluation.likelihood_bounds import Bounds, bits_per_dimension, bounds, in_bits, summarize
from vae.model.vae import VAE
from vae.training.resume import StateFile

NOISE, PRIOR = 0.5, 1.5  # standard deviations of p(x|z) and p(z)
WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.0, 1.5, 1.0]])


class Gaussian:
    """The likelihood N(mean, NOISE² I)."""

    def nll(self, images: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
        scaled = (tf.reshape(images, tf.shape(mean)) - mean) / NOISE
        return 0.5 * tf.reduce_sum(tf.square(scaled) + np.log(2 * np.pi * NOISE**2), axis=-1)


class WideNormal:
    """The prior N(0, PRIOR² I)."""

    has_exact_kl = True

    def density(self) -> Callable[[tf.Tensor], tf.Tensor]:
        return self.log_prob

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        return -0.5 * tf.reduce_sum(tf.square(z / PRIOR) + np.log(2 * np.pi * PRIOR**2), axis=-1)

    def kl(self, z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
        ratio = tf.exp(z_log_var) / PRIOR**2
        return 0.5 * tf.reduce_sum(tf.square(z_mean / PRIOR) + ratio - 1 - tf.math.log(ratio), axis=-1)


class LinearGaussian:
    """x = z W + noise, for which log p(x) and the posterior are known.

    Args:
        weights: W, (latent_dim, values of an image).
        shift: moves the mean of q(z|x) away from the mean of the true posterior.
        spread: the variances of q(z|x), as multiples of the true posterior's.
    """

    likelihood, prior, outputs = Gaussian(), WideNormal(), 1

    def __init__(self, weights: NDArray[np.float64], shift: float = 0.0, spread: float = 1.0) -> None:
        covariance = np.linalg.inv(np.eye(len(weights)) / PRIOR**2 + weights @ weights.T / NOISE**2)
        self.weights = weights
        self.to_mean = tf.constant(weights.T / NOISE**2 @ covariance, tf.float32)
        self.log_var = tf.constant(np.log(spread * np.diag(covariance)), tf.float32)
        self.shift = shift

    def checked_labels(self, labels: Any, count: int) -> Any:
        return labels

    def encoder(self, images: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        assert not training
        mean = tf.reshape(images, (len(images), -1)) @ self.to_mean + self.shift
        return mean, tf.zeros_like(mean) + self.log_var

    def decoder(self, z: tf.Tensor) -> tf.Tensor:
        return z @ tf.constant(self.weights, tf.float32)

    def bounds(self, images: NDArray[np.float32], samples: int, batch_size: int) -> Bounds:
        return bounds(cast(Any, self), images, samples=samples, batch_size=batch_size, seed=0)

    def log_likelihood(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        size = self.weights.shape[1]
        covariance = PRIOR**2 * self.weights.T @ self.weights + NOISE**2 * np.eye(size)
        return np.asarray(multivariate_normal(np.zeros(size), covariance).logpdf(images.reshape(-1, size)))


@pytest.fixture
def observed() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(6, 1, 3, 1)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [4, 1000])  # a batch contains one or two samples of an image; 162
def test_the_bound_with_many_samples_is_the_exact_likelihood(observed: NDArray[np.float32], batch_size: int) -> None:
    # The true covariance is not diagonal, so that the importance weights vary.
    model = LinearGaussian(WEIGHTS, shift=0.1, spread=2)
    found, exact = model.bounds(observed, samples=5000, batch_size=batch_size), -model.log_likelihood(observed)
    np.testing.assert_allclose(found.importance_weighted, exact, atol=0.05)
    assert (found.reconstruction + found.kl > 0.5 + exact).all()


@pytest.fixture
def independent() -> LinearGaussian:
    """One latent dimension for each value of an image: the true posterior is diagonal, and q(z|x) is equal to it."""
    return LinearGaussian(np.eye(2))


@pytest.fixture
def pairs() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(5, 1, 2, 1)).astype("float32")


class OfClasses(LinearGaussian):
    """The same for x - 3 y, so that log p(x|y) and the posterior of each label y are known."""

    def encoder(self, images: Any, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        x, labels = images
        return super().encoder(x - 3 * tf.cast(labels, tf.float32)[:, None, None, None], training)

    def decoder(self, z: Any) -> tf.Tensor:
        z, labels = z
        return super().decoder(z) + 3 * tf.cast(labels, tf.float32)[:, None]


@pytest.mark.parametrize("batch_size", [2, 15])  # a batch contains one or two samples of an image; three
def test_the_bounds_of_a_conditional_model_are_on_the_likelihood_given_the_label(
    pairs: NDArray[np.float32], batch_size: int
) -> None:
    model, labels = OfClasses(np.eye(2)), np.array([0, 1, 4, 2, 2], np.uint8)
    found = bounds(cast(Any, model), pairs, samples=7, batch_size=batch_size, seed=0, labels=labels)
    given = pairs - 3 * labels[:, np.newaxis, np.newaxis, np.newaxis].astype("float32")
    np.testing.assert_allclose(found.importance_weighted, -model.log_likelihood(given), rtol=1e-5)


def test_the_bounds_of_a_conditional_model_need_labels(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 2, conditional=True, class_names=["a", "b"])
    with pytest.raises(InputError, match=r"^the model is conditional, so it needs the label of each image too"):
        bounds(model, images, samples=1, batch_size=6, seed=0)


@pytest.mark.parametrize("samples", [1, 7])
def test_each_sample_of_the_true_posterior_gives_the_exact_likelihood(
    independent: LinearGaussian, pairs: NDArray[np.float32], samples: int
) -> None:
    found = independent.bounds(pairs, samples=samples, batch_size=5)
    np.testing.assert_allclose(found.importance_weighted, -independent.log_likelihood(pairs), rtol=1e-5)


def test_the_elbo_of_the_true_posterior_is_the_exact_likelihood(
    independent: LinearGaussian, pairs: NDArray[np.float32]
) -> None:
    found = independent.bounds(pairs, samples=2000, batch_size=5)
    np.testing.assert_allclose(found.reconstruction + found.kl, -independent.log_likelihood(pairs), atol=0.1)


def test_the_bound_rises_with_the_number_of_samples(observed: NDArray[np.float32]) -> None:
    model = LinearGaussian(WEIGHTS, shift=0.3, spread=2)
    repeated = np.repeat(observed[:1], 2000, axis=0)
    means, errors = {}, {}
    for samples in (1, 5, 50):
        found = model.bounds(repeated, samples=samples, batch_size=2000)
        means[samples] = -found.importance_weighted.mean()
        errors[samples] = found.importance_weighted.std() / np.sqrt(2000)
    assert means[1] + 4 * errors[1] < means[5]
    assert means[5] + 4 * errors[5] < means[50]
    assert means[50] < model.log_likelihood(observed)[0] + 4 * errors[50]


def test_the_bound_with_one_sample_is_the_elbo_on_average(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 2)
    found = bounds(model, np.repeat(images[:1], 4000, axis=0), samples=1, batch_size=2000, seed=0)
    difference = found.importance_weighted - (found.reconstruction + found.kl)
    assert difference.std() > 0
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(4000)


def test_terms_without_posterior_noise_match_the_formula(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 10)
    # The smallest log-variance makes every sample the mean.
    z_log_var = model.encoder.get_layer("z_log_var")
    z_log_var.kernel.assign(np.zeros(z_log_var.kernel.shape))
    z_log_var.bias.assign(np.full(10, -30.0))
    found = bounds(model, images, samples=3, batch_size=4, seed=0)
    mean = model.encode(images)[0]
    p = model.decode(mean).astype("float64")
    expected = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found.reconstruction, expected, rtol=1e-5)
    kl = 0.5 * (mean.astype("float64") ** 2 + np.exp(-30) - 1 + 30).sum(axis=1)
    np.testing.assert_allclose(found.kl, kl, rtol=1e-5)


def test_weights_too_small_for_floating_point_are_accepted(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 10)
    model.decoder.set_weights([8 * w for w in model.decoder.get_weights()])
    found = bounds(model, images, samples=5, batch_size=6, seed=0)
    assert found.reconstruction.min() > 1000  # exp(-1000) is 0
    assert np.isfinite(found.importance_weighted).all()
    assert (found.importance_weighted < found.reconstruction + found.kl).all()


def test_epsilon_std_of_the_model_is_not_used(images: NDArray[np.float32]) -> None:
    noisy, nearly_still = (VAE(images.shape[1:], 10, epsilon_std=std) for std in (1.0, 1e-4))
    nearly_still.set_weights(noisy.get_weights())
    first, second = (bounds(m, images, samples=2, batch_size=6, seed=0) for m in (noisy, nearly_still))
    np.testing.assert_array_equal(first.reconstruction, second.reconstruction)


def test_samples_are_averaged(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 10)
    model.decoder.set_weights([20 * w for w in model.decoder.get_weights()])  # so that the noise matters
    draws = bounds(model, np.repeat(images[:1], 1000, axis=0), samples=1, batch_size=500, seed=0).reconstruction
    average = bounds(model, images[:1], samples=1000, batch_size=1, seed=1).reconstruction[0]
    standard_error = draws.std(ddof=1) / np.sqrt(1000)
    assert standard_error > 0
    assert abs(average - draws.mean()) < 4 * np.sqrt(2) * standard_error


def test_noise_depends_only_on_the_seed(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 10)
    first, same, other = (
        bounds(model, images, samples=1, batch_size=4, seed=seed).reconstruction for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("prior", ["standard", "vampprior"])
def test_bounds_that_are_interrupted_at_any_draw_end_as_if_they_had_not_been(
    images: NDArray[np.float32], prior: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, arguments = VAE(images.shape[1:], 2, prior=prior, seed=0), dict[str, Any](samples=3, batch_size=4, seed=5)
    uninterrupted = bounds(model, images, **arguments)
    monkeypatch.setattr(likelihood_bounds, "SAVE_SECONDS", -1)
    state, drawn = StateFile(tmp_path / "state.npz", "same"), list[str]()
    compiled = likelihood_bounds._compile_draw

    def failing(*arguments: Any) -> Any:
        draw = compiled(*arguments)

        def failing_draw(*tensors: tf.Tensor) -> Any:
            if len(drawn) in (1, 4, 6):  # after one batch, three, which are all of the first images, and four
                drawn.append("interrupted")
                raise KeyboardInterrupt
            drawn.append("done")
            return draw(*tensors)

        return failing_draw

    monkeypatch.setattr(likelihood_bounds, "_compile_draw", failing)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            bounds(model, images, **arguments, state=state)
    for one, other in zip(bounds(model, images, **arguments, state=state), uninterrupted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert drawn.count("done") == 5  # three batches of four images, then two of the other two: none is repeated
    drawn.clear()
    for one, other in zip(bounds(model, images, **arguments, state=state), uninterrupted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not drawn


@pytest.mark.parametrize("prior", ["flow", "mixture", "vampprior"])
def test_the_terms_under_a_learned_prior_are_averages_of_its_own_density(
    images: NDArray[np.float32], prior: str
) -> None:
    model = VAE(images.shape[1:], 4, prior=prior, seed=0)
    found = bounds(model, images, samples=2, batch_size=2 * len(images), seed=3)
    z_mean, z_log_var = model.encode(images)
    shape = (2, *z_mean.shape)
    noise = np.asarray(keras.random.normal((2 * shape[1], 4), seed=keras.random.SeedGenerator(3))).reshape(shape)
    z = z_mean + np.exp(0.5 * z_log_var) * noise
    log_q = norm.logpdf(z, z_mean, np.exp(0.5 * z_log_var)).sum(axis=-1)
    kl = log_q - np.asarray(model.prior.log_prob(z.reshape(-1, 4))).reshape(shape[:2])
    p = np.stack([model.decode(each) for each in z]).astype("float64")
    nll = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(2, 3, 4))
    np.testing.assert_allclose(found.kl, kl.mean(axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.reconstruction, nll.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.importance_weighted, np.log(2) - logsumexp(-nll - kl, axis=0), rtol=1e-5)
    one = bounds(model, images, samples=1, batch_size=len(images), seed=3)
    np.testing.assert_allclose(one.importance_weighted, one.reconstruction + one.kl, rtol=1e-12)


@pytest.mark.parametrize(
    ("count", "samples", "size", "expected"),
    [
        (6, 3, 4, [(4, 1), (4, 1), (4, 1), (2, 2), (2, 1)]),
        (6, 3, 18, [(6, 3)]),
        (6, 4, 20, [(6, 2), (6, 2)]),  # not 3 and 1
        (1, 7, 3, [(1, 3), (1, 3), (1, 1)]),
        (3, 2, 1, [(1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)]),
    ],
)
def test_a_batch_has_several_samples_if_the_images_are_few(
    count: int, samples: int, size: int, expected: list[tuple[int, int]]
) -> None:
    drawn, found = np.zeros(count, int), []
    for rows, draws in likelihood_bounds._batches(count, samples, size):
        drawn[rows] += draws
        found.append((len(drawn[rows]), draws))
    assert found == expected
    assert (drawn == samples).all()


def test_summary_gives_means_and_standard_errors() -> None:
    parts = Bounds(
        reconstruction=np.array([1.0, 2.0, 3.0, 6.0]),
        kl=np.array([1.0, 1.0, 2.0, 2.0]),
        importance_weighted=np.array([1.0, 2.0, 4.0, 5.0]),
    )
    summary = summarize(parts, entropy=np.array([0.5, 0.5, 0.5, 2.5]))
    assert summary == {
        "loss": 4.5,
        "reconstruction": 3.0,
        "kl": 1.5,
        "importance_weighted": 3.0,
        "entropy": 1.0,
        "standard_error": {
            "loss": pytest.approx(np.std([2, 3, 5, 8], ddof=1) / 2),
            "reconstruction": pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2),
            "kl": pytest.approx(np.std([1, 1, 2, 2], ddof=1) / 2),
            "importance_weighted": pytest.approx(np.std([1, 2, 4, 5], ddof=1) / 2),
            "entropy": pytest.approx(0.5),
        },
    }


def test_images_in_colour_have_the_loss_of_their_score() -> None:
    model = VAE((33, 47, 3), 2, seed=0)
    images = np.random.default_rng(0).random((5, 33, 47, 3), dtype=np.float32)
    found = bounds(model, images, samples=2, batch_size=2, seed=0)
    score = model.score(images, samples=2)  # with other noise; the untrained decoder hardly depends on z
    np.testing.assert_allclose(found.reconstruction + found.kl, score, rtol=5e-4)
    z_mean, z_log_var = (values.astype(np.float64) for values in model.encode(images))
    kl = 0.5 * (np.exp(z_log_var) + z_mean**2 - 1 - z_log_var).sum(axis=1)
    np.testing.assert_allclose(found.kl, kl, rtol=1e-4)
    assert found.importance_weighted.shape == (5,)


def test_images_on_disk_have_the_bounds_of_images_in_memory(
    on_disk: Callable[[NDArray[np.uint8]], StoredImages],
) -> None:
    levels = np.random.default_rng(0).integers(256, size=(17, 8, 8, 3), dtype=np.uint8)
    model = VAE((8, 8, 3), 2, seed=0)
    expected = bounds(model, normalize(levels), samples=2, batch_size=5, seed=0)
    found = bounds(model, on_disk(levels), samples=2, batch_size=5, seed=0)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_bits_per_dimension_of_a_fair_coin_for_each_value_is_one() -> None:
    assert bits_per_dimension(33 * 47 * 3 * np.log(2), (33, 47, 3)) == pytest.approx(1)
    assert bits_per_dimension(100.0, (8, 8, 1)) == pytest.approx(100 / 64 / np.log(2))


def test_results_are_given_in_bits() -> None:
    parts = Bounds(np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([3.5, 6.0]))
    results = summarize(parts, np.array([0.5, 1.5]))
    bits, errors = in_bits(results, (10, 20, 3))["bits_per_dimension"], results["standard_error"]
    assert isinstance(errors, dict)
    factor = 1 / (600 * np.log(2))
    assert bits.pop("standard_error") == {name: pytest.approx(factor * error) for name, error in errors.items()}
    assert bits == {name: pytest.approx(factor * results[name]) for name in errors}
    assert bits["loss"] == pytest.approx(bits["reconstruction"] + bits["kl"])


def test_a_single_image_has_no_standard_error_and_is_refused() -> None:
    one = np.ones(1)
    with pytest.raises(InputError, match=r"^there is one test image, but standard errors need at least two\.$"):
        summarize(Bounds(one, one, one), one)
