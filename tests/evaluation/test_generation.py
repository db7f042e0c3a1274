import numpy as np
import pytest
from numpy.typing import NDArray

from vae.evaluation.generation import decode
from vae.model.vae import VAE


@pytest.fixture(scope="module")
def model() -> VAE:
    return VAE((12, 16, 1), 3)


def test_decoded_draws_from_the_prior_are_the_samples_of_the_model(model: VAE) -> None:
    z: NDArray[np.float32] = np.asarray(model.prior.sample(7, seed=5))
    images = decode(model, z, batch_size=4)
    assert images.shape == (7, 12, 16, 1)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, model.sample(7, seed=5), atol=1e-6)


def test_images_keep_the_arrangement_of_their_latent_vectors(model: VAE) -> None:
    z = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    images = decode(model, z, batch_size=3)
    assert images.shape == (2, 4, 12, 16, 1)
    np.testing.assert_allclose(images[1, 2], model.decode(z[1, 2:3])[0], atol=1e-6)


def test_images_in_colour_have_the_shape_of_the_model() -> None:
    images = decode(VAE((33, 47, 3), 2), np.zeros((2, 3, 2), "float32"), batch_size=4)
    assert images.shape == (2, 3, 33, 47, 3)
