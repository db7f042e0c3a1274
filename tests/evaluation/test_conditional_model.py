"""Every measurement of a conditional model uses the labels of its images."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data.shards import StoredImages, normalize
from vae.data.splits import Split
from vae.errors import InputError
from vae.evaluation.embedding import embed
from vae.evaluation.generation import decode
from vae.evaluation.image_sets import image_sets
from vae.model.vae import VAE

SHAPE, NAMES = (8, 8, 1), np.array(["a", "b", "c"])
LABELS = np.random.default_rng(0).integers(3, size=20, dtype=np.uint8)
LEVELS = np.random.default_rng(1).integers(256, size=(20, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> VAE:
    return VAE(SHAPE, 2, architecture="mlp", conditional=True, class_names=NAMES.tolist(), seed=0)


def test_images_in_memory_and_on_disk_are_encoded_with_their_labels(
    model: VAE, on_disk: Callable[[NDArray[np.uint8]], StoredImages]
) -> None:
    expected = model.encode(normalize(LEVELS), labels=LABELS)
    for images in (normalize(LEVELS), on_disk(LEVELS)):
        found = embed(model, Split(images, LABELS, NAMES), batch_size=7)
        np.testing.assert_allclose(found.z_mean, expected[0], atol=1e-6)
        np.testing.assert_allclose(found.z_log_var, expected[1], atol=1e-6)
        assert found.labels is LABELS
    with pytest.raises(InputError, match="the prepared images have no labels, but this stage needs them"):
        embed(model, Split(normalize(LEVELS), None, NAMES), batch_size=7)


def test_labels_broadcast_to_the_arrangement_of_the_latent_vectors(model: VAE) -> None:
    z = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    rows = decode(model, z, batch_size=4, labels=np.arange(3)[:, np.newaxis])
    for label, (vectors, images) in enumerate(zip(z, rows, strict=True)):
        np.testing.assert_allclose(images, model.decode(vectors, labels=label), atol=1e-6)
    np.testing.assert_allclose(decode(model, z, labels=1)[2], model.decode(z[2], labels=1), atol=1e-6)


def test_image_sets_are_decoded_with_own_labels_or_those_of_training_images(model: VAE) -> None:
    train = Split(normalize(LEVELS), LABELS, NAMES)
    test = train.take(slice(12))
    z_mean, _ = model.encode(test.images[:], labels=test.labels)
    mixture = np.random.default_rng(2).normal(size=(12, 2)).astype("float32")
    sets = image_sets(model, test, train, z_mean, mixture, batch_size=5, seed=3)
    drawn = np.random.default_rng(3).choice(20, 12, replace=False)
    expected = {
        "test": test.images[:],
        "prior": model.decode(np.asarray(model.prior.sample(12, 3)), labels=LABELS[drawn]),
        "reconstruction": model.reconstruct(test.images[:], labels=test.labels),
        "mixture": model.decode(mixture, labels=LABELS[drawn]),
        "train": train.images[drawn],
    }
    assert sets.keys() == expected.keys()
    for name, images in expected.items():
        found = [sets[name].to_images(sets[name].items[rows]) for rows in (slice(5), slice(5, 12))]
        np.testing.assert_allclose(np.concatenate(found), images, atol=1e-6)


def test_image_sets_of_a_model_that_is_not_conditional_need_no_labels() -> None:
    model, split = VAE(SHAPE, 2, architecture="mlp", seed=0), Split(normalize(LEVELS), None, np.array([], np.str_))
    z_mean, _ = model.encode(normalize(LEVELS))
    sets = image_sets(model, split, split, z_mean, z_mean, batch_size=5, seed=3)
    for name in ("reconstruction", "mixture"):
        found = sets[name].to_images(sets[name].items[:4])
        np.testing.assert_allclose(found, model.decode(z_mean[:4]), atol=1e-6)
