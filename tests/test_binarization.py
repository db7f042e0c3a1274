import numpy as np
import pytest

from vae.binarization import SEED, binarize, entropy_nats


def test_a_pixel_is_one_as_often_as_its_grey_level_says() -> None:
    levels = np.array([0.0, 0.2, 0.5, 0.9, 1.0], "float32")
    pixels = binarize(np.tile(levels, (40_000, 1)))
    assert set(np.unique(pixels)) == {0.0, 1.0}
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels.mean(axis=0), levels, atol=4 * 0.5 / 200)
    assert (pixels[:, 0] == 0).all()
    assert (pixels[:, 4] == 1).all()


def test_the_binarized_images_are_the_same_each_time() -> None:
    images = np.random.default_rng(5).random((3, 28, 28, 1), dtype=np.float32)
    np.testing.assert_array_equal(binarize(images), binarize(images, SEED))
    assert not np.array_equal(binarize(images), binarize(images, SEED + 1))


def test_entropy_is_summed_over_the_pixels() -> None:
    images = np.array([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.0], [0.0, 0.0]]], "float32")[..., np.newaxis]
    expected = [2 * np.log(2), -0.25 * np.log(0.25) - 0.75 * np.log(0.75)]
    np.testing.assert_allclose(entropy_nats(images), expected, rtol=1e-12)


def test_entropy_is_the_cross_entropy_of_the_grey_levels_with_themselves_and_the_least_of_all() -> None:
    x = np.random.default_rng(0).uniform(0.01, 0.99, size=(5, 4, 4, 1))

    def cross_entropy(p: np.ndarray) -> np.ndarray:
        return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=(1, 2, 3))

    assert entropy_nats(x) == pytest.approx(cross_entropy(x))
    assert (cross_entropy(np.clip(x + 0.05, 0, 0.999)) > entropy_nats(x)).all()
