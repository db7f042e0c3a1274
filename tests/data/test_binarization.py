"""Binarized images: the distribution, and the same draw however they are read."""

from pathlib import Path

import numpy as np
import pytest

from vae.data import shards
from vae.data.binarization import BinarizedImages, binarize, binarized
from vae.data.shards import save_split
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
