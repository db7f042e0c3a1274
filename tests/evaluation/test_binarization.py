from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data.shards import StoredImages, normalize
from vae.evaluation.binarization import SEED, binarize, entropy_nats


def test_a_pixel_is_one_with_the_probability_of_its_grey_level() -> None:
    levels = np.array([0.0, 0.2, 0.5, 0.9, 1.0], "float32")
    pixels = binarize(np.tile(levels, (40_000, 1)), np.random.default_rng(SEED))
    assert set(np.unique(pixels)) == {0.0, 1.0}
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels.mean(axis=0), levels, atol=4 * 0.5 / 200)
    assert (pixels[:, 0] == 0).all()
    assert (pixels[:, 4] == 1).all()


def test_binarized_images_depend_only_on_the_seed() -> None:
    images = np.random.default_rng(5).random((3, 28, 28, 1), dtype=np.float32)
    first, same, other = (binarize(images, np.random.default_rng(seed)) for seed in (SEED, SEED, SEED + 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("shape", [(28, 28, 1), (3, 5, 1), (5, 7, 3)], ids=str)  # even and odd numbers of values
def test_batches_in_order_are_binarized_as_all_images_at_once(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(5).random((11, *shape), dtype=np.float32)
    rng = np.random.default_rng(SEED)
    batches = [binarize(images[start:end], rng) for start, end in ((0, 1), (1, 4), (4, 8), (8, 11))]
    draws = np.random.default_rng(SEED).random(images.shape, dtype=np.float32)
    np.testing.assert_array_equal(np.concatenate(batches), (draws < images).astype(np.float32), strict=True)


def test_entropy_is_summed_over_the_pixels() -> None:
    images = np.array([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.0], [0.0, 0.0]]], "float32")[..., np.newaxis]
    expected = [2 * np.log(2), -0.25 * np.log(0.25) - 0.75 * np.log(0.75)]
    np.testing.assert_allclose(entropy_nats(images), expected, rtol=1e-12)


def test_entropy_is_the_least_cross_entropy_with_the_grey_levels() -> None:
    x = np.random.default_rng(0).uniform(0.01, 0.99, size=(5, 4, 4, 1)).astype("float32")

    def cross_entropy(p: NDArray[np.floating]) -> NDArray[np.floating]:
        values = x.astype("float64")
        return -np.asarray((values * np.log(p) + (1 - values) * np.log(1 - p)).sum(axis=(1, 2, 3)))

    assert entropy_nats(x) == pytest.approx(cross_entropy(x.astype("float64")))
    assert (cross_entropy(np.clip(x + 0.05, 0, 0.999)) > entropy_nats(x)).all()


def test_images_of_any_shape_in_colour_are_binarized_and_have_an_entropy() -> None:
    images = np.full((1001, 5, 7, 3), 0.5, "float32")
    assert binarize(images, np.random.default_rng(SEED)).shape == images.shape
    np.testing.assert_allclose(entropy_nats(images), np.full(1001, 5 * 7 * 3 * np.log(2)), rtol=1e-12)


def test_images_on_disk_have_the_same_entropy_in_chunks_of_any_size(
    on_disk: Callable[[NDArray[np.uint8]], StoredImages], monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = np.random.default_rng(0).integers(256, size=(20, 5, 4, 3), dtype=np.uint8)
    expected = entropy_nats(normalize(levels))
    for values in (1, 7 * 60, 2**20):
        monkeypatch.setattr("vae.evaluation.binarization.CHUNK", values)
        np.testing.assert_array_equal(entropy_nats(on_disk(levels)), expected)
