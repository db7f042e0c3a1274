"""Binarized images: the distribution, and the same draw however they are read."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data import binarization, shards
from vae.data.binarization import BinarizedImages, binarize, binarized, entropy_nats
from vae.data.shards import normalize, save_split
from vae.data.splits import load_split

LEVELS = np.random.default_rng(0).integers(256, size=(11, 9, 7, 1), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(6, 4, 4, 1), (7, 3, 3, 1)], ids=["even", "odd"])
def test_images_are_binarized_one_after_the_other_from_one_stream(shape: tuple[int, ...]) -> None:
    grey = np.random.default_rng(1).random(shape, dtype=np.float32)
    whole = (np.random.default_rng(5).random(shape, dtype=np.float32) < grey).astype(np.float32)
    np.testing.assert_array_equal(binarize(grey, 5), whole, strict=True)
    for first in range(len(grey)):
        np.testing.assert_array_equal(binarize(grey[first:], 5, first), whole[first:], strict=True)


def test_stored_images_are_binarized_like_images_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = np.array([], np.str_)
    save_split(tmp_path / "memory.npz", LEVELS, None, names)
    monkeypatch.setattr(shards, "MAX_BYTES", 200)
    save_split(tmp_path / "disk.npz", LEVELS, None, names)
    memory, disk = (binarized(load_split(tmp_path / f"{name}.npz")).images for name in ("memory", "disk"))
    assert isinstance(memory, np.ndarray)
    assert isinstance(disk, BinarizedImages)
    for rows in (slice(None), slice(4, 9), slice(1, 9, 3), slice(3, 3), np.array([[10, 2], [2, 0]])):
        np.testing.assert_array_equal(disk[rows], memory[rows], strict=True)


def test_a_pixel_is_one_with_the_probability_of_its_grey_level() -> None:
    levels = np.array([0.0, 0.2, 0.5, 0.9, 1.0], "float32")
    pixels = binarize(np.tile(levels, (40_000, 1)))
    assert set(np.unique(pixels)) == {0.0, 1.0}
    np.testing.assert_allclose(pixels.mean(axis=0), levels, atol=4 * 0.5 / 200)
    assert (pixels[:, 0] == 0).all()
    assert (pixels[:, 4] == 1).all()


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


def test_images_of_any_shape_in_colour_have_an_entropy() -> None:
    images = np.full((1001, 5, 7, 3), 0.5, "float32")
    np.testing.assert_allclose(entropy_nats(images), np.full(1001, 5 * 7 * 3 * np.log(2)), rtol=1e-12)


def test_images_on_disk_have_the_same_entropy_in_chunks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = np.array([], np.str_)
    monkeypatch.setattr(shards, "MAX_BYTES", 200)
    save_split(tmp_path / "disk.npz", LEVELS, None, names)
    expected = entropy_nats(normalize(LEVELS))
    for values in (1, 7 * 63, 2**20):
        monkeypatch.setattr(binarization, "CHUNK", values)
        np.testing.assert_array_equal(entropy_nats(load_split(tmp_path / "disk.npz").images), expected)
