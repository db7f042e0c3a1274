import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from vae.model.vae import VAE
from vae.training.optimizers import OPTIMIZERS, ConvMuon, build_optimizer

RATE = 0.01


def orthogonalized(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply five steps of the quintic Newton-Schulz iteration of Jordan et al. (2024)."""
    x = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = x / np.linalg.norm(x)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


@pytest.mark.parametrize("shape", [(3, 3, 4, 6), (3, 3, 1, 20), (10, 24), (24, 10)])
def test_steps_of_matrices_and_kernels_equal_a_numpy_reference(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=shape)
    gradients = rng.normal(size=(3, *shape))
    variable, optimizer = keras.Variable(start, dtype="float32"), ConvMuon(RATE)
    expected, momentum = start.reshape(-1, shape[-1]), np.zeros((np.prod(shape[:-1]), shape[-1]))
    for gradient in gradients:
        optimizer.apply([keras.ops.cast(gradient, "float32")], [variable])
        flat = gradient.reshape(momentum.shape)
        momentum = 0.9 * momentum + flat
        step = orthogonalized(flat + 0.9 * momentum)  # Nesterov's
        expected = expected - RATE * 0.2 * np.sqrt(max(momentum.shape)) * step
    np.testing.assert_allclose(variable.numpy().reshape(expected.shape), expected, atol=2e-5)


def test_root_mean_square_of_a_step_is_near_the_one_of_adam() -> None:
    variable = keras.Variable(np.zeros((3, 3, 32, 64)), dtype="float32")
    optimizer = ConvMuon(RATE)
    optimizer.apply([keras.random.normal((3, 3, 32, 64), seed=0)], [variable])
    assert np.sqrt(np.mean(variable.numpy() ** 2)) == pytest.approx(0.2 * RATE, rel=0.2)


def test_adam_updates_the_biases_and_the_latent_heads_and_no_other_kernel() -> None:
    rng, models = np.random.default_rng(0), [VAE((28, 28, 1), 10), VAE((28, 28, 1), 10)]
    models[1].set_weights(models[0].get_weights())
    gradients = [rng.normal(size=variable.shape).astype("float32") for variable in models[0].trainable_variables]
    for model, optimizer in zip(models, (ConvMuon(RATE), keras.optimizers.Adam(RATE)), strict=True):
        optimizer.apply(gradients, model.trainable_variables)
    same = {
        variable.path
        for variable, by_adam in zip(*(model.trainable_variables for model in models), strict=True)
        if np.allclose(variable, by_adam, atol=1e-6)
    }
    biases = {variable.path for variable in models[0].trainable_variables if variable.name == "bias"}
    assert biases < same
    assert {path.split("/")[-2] for path in same - biases} == {"z_mean", "z_log_var"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_shrinks_the_kernels_before_each_step_and_no_other_weight(name: str) -> None:
    rng, models = np.random.default_rng(0), [VAE((8, 8, 1), 3, architecture="mlp", prior="mixture") for _ in range(2)]
    start = [rng.normal(size=weight.shape).astype("float32") for weight in models[0].trainable_weights]
    gradients = [rng.normal(size=weight.shape).astype("float32") for weight in models[0].trainable_weights]
    for model, weight_decay in zip(models, (0.0, 5.0), strict=True):
        model.set_weights(start)
        build_optimizer(name, RATE, weight_decay, model).apply(gradients, model.trainable_weights)
    for plain, decayed, before in zip(*(model.trainable_weights for model in models), start, strict=True):
        difference = RATE * 5 * before if plain.name == "kernel" else np.zeros_like(before)
        np.testing.assert_allclose(plain - decayed, difference, atol=1e-6)
