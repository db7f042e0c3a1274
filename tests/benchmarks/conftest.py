"""Import `vae.model` first, so that it sets TensorFlow up before a test module imports Keras. Small prepared data."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import vae.model  # noqa: F401
from vae.data.shards import save_split
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train


@pytest.fixture
def workspace(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, which contains `params.yaml` and prepared images of 12x16 pixels."""
    shutil.copy(root / "params.yaml", tmp_path)
    rng = np.random.default_rng(0)
    for name, count in {"train": 30, "validation": 10, "test": 10}.items():
        images = rng.uniform(size=(count, 12, 16, 1)).astype("float32")
        save_split(tmp_path / f"data/prepared/{name}.npz", images, None, np.array([], np.str_))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(root: Path) -> tuple[Model, Train]:
    """Return the settings of the model and of its training in `params.yaml`."""
    _, model, train = load_settings(Model, Train, path=root / "params.yaml")
    return model, train
