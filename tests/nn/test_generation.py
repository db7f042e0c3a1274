import numpy as np

from vae.nn.generation import decode, draw_prior
from vae.nn.model import VAE


def test_decoded_draws_from_the_prior_are_the_model_s_own_samples() -> None:
    model = VAE(3)
    z = draw_prior(3, 7, seed=5)
    found = decode(model, z, batch_size=4)
    assert (found.shape, found.dtype) == ((7, 28, 28, 1), np.float32)
    np.testing.assert_allclose(found, model.sample(7, seed=5), atol=1e-6)


def test_prior_is_standard_normal_and_the_seed_s() -> None:
    z = draw_prior(4, 20_000, seed=0)
    np.testing.assert_allclose(z.mean(axis=0), np.zeros(4), atol=0.03)
    np.testing.assert_allclose(np.cov(z, rowvar=False), np.eye(4), atol=0.04)
    np.testing.assert_array_equal(draw_prior(4, 20_000, seed=0), z)
    assert not np.array_equal(draw_prior(4, 20_000, seed=1), z)
