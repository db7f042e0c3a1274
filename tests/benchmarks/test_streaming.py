from pathlib import Path

import numpy as np
import pytest

from benchmarks import memory
from benchmarks.keras_worker import MOST_STEPS, training
from vae.data.formats.npz import read_npz
from vae.model.vae import VAE


def test_the_images_of_the_memory_benchmark_are_discs_whose_class_is_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CHUNK", 20)
    memory.write_images(tmp_path / "images.npz", 50)
    data = read_npz(tmp_path / "images.npz", None)
    images, labels = data.train.images[:], data.train.labels
    assert images.shape == (50, 64, 64, 3)
    assert labels is not None
    radii = 4 + 1.5 * np.array([float(data.class_names[label]) for label in labels])
    areas = (images > 70).any(axis=-1).sum(axis=(1, 2))
    np.testing.assert_allclose(areas, np.pi * radii**2, rtol=0.15)


def test_the_step_from_disk_takes_the_same_steps_as_the_step_from_memory(tmp_path: Path) -> None:
    weights = []
    for folder in (None, tmp_path):
        model = VAE((12, 12, 3), 2, seed=1)
        model.set_weights([np.full_like(values, 0.01) for values in model.get_weights()])
        model.compile("adam")
        assert training(model, 4, folder)(3) > 0
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["noise.npz", "noise.shards"]


def test_no_more_steps_are_timed_than_there_are_images_for() -> None:
    model = VAE((12, 12, 3), 2)
    model.compile("adam")
    with pytest.raises(ValueError, match="there are images for 100 steps, not for 101"):
        training(model, 4)(MOST_STEPS + 1)
