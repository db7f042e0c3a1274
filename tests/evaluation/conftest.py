"""Import `vae.model` first, so that it sets TensorFlow up before a test module imports Keras; images on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vae.model  # noqa: F401
from vae.data import shards
from vae.data.shards import StoredImages, save_split
from vae.data.splits import load_split


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[NDArray[np.uint8]], StoredImages]:
    """Return a function that writes levels (n, height, width, channels) to shards of seven images."""

    def store(levels: NDArray[np.uint8]) -> StoredImages:
        monkeypatch.setattr(shards, "MAX_BYTES", 7 * int(np.prod(levels.shape[1:])))
        save_split(tmp_path / "stored.npz", levels, None, np.array([], str))
        images = load_split(tmp_path / "stored.npz").images
        assert isinstance(images, StoredImages)
        return images

    return store
