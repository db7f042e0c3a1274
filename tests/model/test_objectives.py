"""The objectives against NumPy, and their gradients against each other, on a model whose terms are known."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray
from scipy import special, stats

from vae.evaluation.posterior import kl_per_dimension
from vae.model.objectives import OBJECTIVES
from vae.model.objectives.draws import Draws, Options
from vae.model.objectives.elbo import Elbo
from vae.model.priors.standard import StandardNormal
from vae.model.vae import VAE

RNG = np.random.default_rng(0)
BATCH, LATENT_DIM = 5, 3


def random_draws(samples: int = 1) -> Draws:
    """Return draws of made-up numbers."""
    count = samples * BATCH
    mean, log_var = RNG.normal(size=(2, BATCH, LATENT_DIM))
    z = np.tile(mean, (samples, 1)) + RNG.normal(size=(count, LATENT_DIM))
    repeated = np.tile(mean, (samples, 1)), np.tile(log_var, (samples, 1))
    nll, mean, log_var, z = (ops.convert_to_tensor(values) for values in (RNG.uniform(50, 60, count), *repeated, z))
    prior = StandardNormal(LATENT_DIM)
    return Draws(nll, mean, log_var, z, prior.kl(mean, log_var), prior, samples)


def kl_of_each(draws: Draws) -> NDArray[np.float64]:
    mean, log_var = np.asarray(draws.z_mean), np.asarray(draws.z_log_var)
    return np.asarray(0.5 * (mean**2 + np.exp(log_var) - 1 - log_var))


@pytest.mark.parametrize(
    ("name", "options", "loss_name"),
    [
        ("elbo", Options(samples=3), "−ELBO"),
        ("elbo", Options(beta=0.5), "−ELBO, KL weighted by 0.5"),
        ("elbo", Options(beta=4, beta_warmup=10), "−ELBO, KL warmed up to 4"),
        ("elbo", Options(beta_warmup=10), "−ELBO, KL warmed up"),
        ("elbo", Options(free_bits=0.25), "−ELBO, 0.25 nats free per dimension"),
        ("iwae", Options(samples=5), "importance-weighted, k = 5"),
        ("dreg", Options(samples=5), "importance-weighted, k = 5"),
    ],
)
def test_objectives_other_than_the_elbo_have_another_name(name: str, options: Options, loss_name: str) -> None:
    assert OBJECTIVES[name](options).loss_name == loss_name


@pytest.mark.parametrize("samples", [1, 4])
def test_negative_elbo_is_the_sum_of_its_terms_averaged_over_the_draws(samples: int) -> None:
    draws = random_draws(samples)
    terms = (np.asarray(draws.reconstruction) + kl_of_each(draws).sum(axis=1)).reshape(samples, BATCH)
    np.testing.assert_allclose(Elbo(Options(samples)).loss(draws, 0), terms.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("step", "weight"), [(0, 0.0), (50, 2.0), (100, 4.0), (1000, 4.0)])
def test_the_weight_of_the_kl_rises_in_a_straight_line_to_beta(step: int, weight: float) -> None:
    draws = random_draws()
    expected = np.asarray(draws.reconstruction) + weight * kl_of_each(draws).sum(axis=1)
    loss = Elbo(Options(beta=4.0, beta_warmup=100)).loss(draws, ops.convert_to_tensor(step))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    if step == 1000:
        np.testing.assert_allclose(Elbo(Options(beta=4.0)).loss(draws, 0), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("samples", "beta", "beta_warmup", "weight"), [(1, 1.0, 0, 1.0), (4, 0.5, 0, 0.5), (1, 2.0, 8, 0.5)]
)
def test_free_bits_do_not_penalize_a_dimension_up_to_them(
    samples: int, beta: float, beta_warmup: int, weight: float
) -> None:
    draws = random_draws(samples)
    each = kl_of_each(draws).mean(axis=0)
    free = float(np.sort(each)[1]) + 1e-9  # above two of the three dimensions
    reconstruction = np.asarray(draws.reconstruction).reshape(samples, BATCH).mean(axis=0)
    objective = Elbo(Options(samples, beta, beta_warmup, free))
    loss = objective.loss(draws, ops.convert_to_tensor(2))
    np.testing.assert_allclose(loss, reconstruction + weight * (2 * free + each.max()), rtol=1e-12)


@pytest.mark.parametrize("name", ["iwae", "dreg"])
@pytest.mark.parametrize("samples", [1, 7])
def test_the_importance_weighted_loss_equals_the_formula_in_numpy(name: str, samples: int) -> None:
    draws = random_draws(samples)
    z, mean, log_var = (np.asarray(values) for values in (draws.z, draws.z_mean, draws.z_log_var))
    log_q = stats.norm.logpdf(z, mean, np.exp(log_var / 2)).sum(axis=1)
    log_weights = stats.norm.logpdf(z).sum(axis=1) - np.asarray(draws.reconstruction) - log_q
    expected = -special.logsumexp(log_weights.reshape(samples, BATCH), axis=0) + math.log(samples)
    np.testing.assert_allclose(OBJECTIVES[name](Options(samples)).loss(draws, 0), expected, rtol=1e-10)


def gradients(name: str, samples: int, images: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gradients of z's mean and of the decoder's weight, (images,) each, with noise of its own for each.

    The model is p(z) = N(0, 1), p(x|z) = N(w z, 1) at x = 2 and w = 1.5, with q(z|x) = N(0.4, exp(-0.6)).
    """
    objective = OBJECTIVES[name](Options(samples))
    keras.utils.set_random_seed(0)
    mean, weight = tf.fill((images, 1), tf.constant(0.4, tf.float64)), tf.fill((images,), tf.constant(1.5, tf.float64))
    log_var = tf.fill((samples * images, 1), tf.constant(-0.6, tf.float64))
    noise = tf.random.normal((samples * images, 1), dtype=tf.float64, seed=1)

    @tf.function  # type: ignore[untyped-decorator]
    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch([mean, weight])
            repeated = tf.tile(mean, (samples, 1))
            z = objective.draw(repeated + tf.exp(log_var / 2) * noise)
            nll = 0.5 * (2.0 - tf.tile(weight, (samples,)) * z[:, 0]) ** 2
            prior = StandardNormal(1)
            draws = Draws(nll, repeated, log_var, z, prior.kl(repeated, log_var), prior, samples)
            loss = tf.reduce_sum(objective.loss(draws, 0))
        return tape.gradient(loss, [mean, weight])

    of_mean, of_weight = (np.asarray(gradient, np.float64).reshape(-1) for gradient in run())
    return of_mean, of_weight


@pytest.mark.parametrize("samples", [2, 32])
def test_both_gradients_of_the_importance_weighted_bound_have_one_expectation(samples: int) -> None:
    images = 40_000
    usual, doubly = (gradients(name, samples, images) for name in ("iwae", "dreg"))
    difference = usual[0] - doubly[0]
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(images)
    assert abs(usual[0].mean()) > 8 * usual[0].std() / np.sqrt(images)  # else the line above says nothing
    np.testing.assert_allclose(doubly[1], usual[1], rtol=1e-9)


def test_the_doubly_reparameterized_gradient_has_the_lower_variance() -> None:
    ratios = []
    for samples in (2, 8, 32):
        usual, doubly = (gradients(name, samples, 20_000)[0] for name in ("iwae", "dreg"))
        ratios.append(doubly.var() / usual.var())
    assert max(ratios) < 0.5
    assert ratios[2] < ratios[1] < ratios[0]


@pytest.mark.parametrize("name", ["iwae", "dreg"])
def test_a_model_trains_its_encoder_by_the_gradient_of_its_objective(name: str) -> None:
    """The bias of z_mean moves all draws of an image alike, so its gradient is a sum over the draws."""
    samples, images = 3, (RNG.uniform(size=(BATCH, 8, 8, 1)) < 0.3).astype("float32")
    keras.utils.set_random_seed(0)
    model = VAE((8, 8, 1), 2, objective=name, samples=samples, seed=0)
    with tf.GradientTape() as tape:
        output = model(images, training=True)
        loss = model.compute_loss(images, y_pred=output)
    gradient = tape.gradient(loss, model.encoder.get_layer("z_mean").bias)
    z = tf.constant(output.z)
    mean, log_var = (np.tile(values, (samples, 1)) for values in (output.z_mean, output.z_log_var))
    with tf.GradientTape() as tape:
        tape.watch(z)
        log_q = -0.5 * tf.reduce_sum(math.log(2 * math.pi) + log_var + (z - mean) ** 2 / np.exp(log_var), axis=1)
        log_p = -0.5 * tf.reduce_sum(math.log(2 * math.pi) + z**2, axis=1)
        log_weights = log_p - model.likelihood.nll(np.tile(images, (samples, 1, 1, 1)), model.decoder(z)) - log_q
    slopes = np.reshape(tape.gradient(log_weights, z), (samples, BATCH, 2))
    v = special.softmax(np.reshape(log_weights, (samples, BATCH, 1)), axis=0)
    assert 0.4 < v.max(axis=0).mean() < 0.99  # else both gradients are nearly equal
    if name == "dreg":
        expected = (v**2 * slopes).sum(axis=0)
    else:  # log q depends on the mean directly, too
        expected = (v * (slopes + np.reshape((mean - z) / np.exp(log_var), slopes.shape))).sum(axis=0)
    np.testing.assert_allclose(gradient, -expected.mean(axis=0), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("objective", "options"),
    [
        ("elbo", {"samples": 3}),
        ("elbo", {"beta": 0.5, "beta_warmup": 4}),
        ("elbo", {"free_bits": 0.2}),
        ("iwae", {"samples": 4}),
        ("dreg", {"samples": 4}),
    ],
)
def test_every_objective_trains_a_model_and_validation_stays_the_plain_bound(
    objective: str, options: dict[str, Any]
) -> None:
    images = (RNG.uniform(size=(32, 12, 12, 1)) < 0.3).astype("float32")
    keras.utils.set_random_seed(0)
    model = VAE((12, 12, 1), 2, objective=objective, seed=0, **options)
    plain = VAE((12, 12, 1), 2, seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    before = model.evaluate(images, batch_size=32, verbose=0, return_dict=True)
    model.fit(images, batch_size=16, epochs=15, verbose=0)
    plain.set_weights(model.get_weights())
    plain.compile()
    for each in (model, plain):
        each.sampling.seed_generator.state.assign([1, 0])
    after, expected = (m.evaluate(images, batch_size=32, verbose=0, return_dict=True) for m in (model, plain))
    assert after == expected
    assert after["loss"] < 94 < before["loss"]  # 88 is the entropy of these images
    assert after["loss"] == pytest.approx(after["reconstruction"] + after["kl"], rel=1e-5)


def train_on_weak_signal(**options: Any) -> tuple[NDArray[np.float64], float]:
    """Return the KL of each latent dimension, and the negative ELBO, of images with a slightly brighter half."""
    rng = np.random.default_rng(0)
    side, p = rng.integers(2, size=1500), np.full((1500, 8, 8, 1), 0.5)
    p[:, :, :4][side == 0] += 0.2
    p[:, :, 4:][side == 1] += 0.2
    images = (rng.random(p.shape) < p).astype(np.float32)
    keras.utils.set_random_seed(0)
    model = VAE((8, 8, 1), 8, likelihood="binarized", seed=0, **options)
    model.compile(keras.optimizers.Adam(0.005))
    model.fit(images, batch_size=50, epochs=12, verbose=0)
    z_mean, z_log_var = model.encode(images)
    return kl_per_dimension(z_mean, z_log_var).mean(axis=0), float(model.score(images).mean())


@pytest.mark.slow
def test_a_warm_up_and_free_bits_each_prevent_the_collapse_of_the_posterior() -> None:
    collapsed, loss = train_on_weak_signal()
    assert collapsed.max() < 0.01
    kl, found = train_on_weak_signal(beta_warmup=200)
    assert kl.max() > 0.3
    assert found < loss - 0.3  # the signal is worth half a nat
    free, found = train_on_weak_signal(free_bits=0.3)
    assert free.min() > 0.1
    reconstruction = found - free.sum()  # without a KL, the loss of the collapsed model is all reconstruction
    assert reconstruction < loss - 0.5
