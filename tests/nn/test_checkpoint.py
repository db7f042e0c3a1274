import json
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.errors import InputError
from vae.nn.checkpoint import load_checkpoint, save_checkpoint
from vae.nn.model import VAE
from vae.nn.weights import CONFIG

WEIGHTS = "vae.weights.h5"


def test_loaded_model_computes_what_the_saved_one_did(tmp_path: Path, images: NDArray[np.float32]) -> None:
    model = VAE(3)
    save_checkpoint(model, tmp_path / "vae")
    loaded = load_checkpoint(tmp_path / "vae")
    assert loaded.latent_dim == 3
    np.testing.assert_array_equal(loaded.reconstruct(images), model.reconstruct(images))


def test_equal_weights_give_equal_bytes_at_any_time_trained_or_not(tmp_path: Path, images: NDArray[np.float32]) -> None:
    trained = VAE(3, dropout=0.5, seed=1)
    trained.compile("adam")
    trained.fit(images, verbose=0)
    copy = VAE(3)
    copy.set_weights(trained.get_weights())
    save_checkpoint(trained, tmp_path / "a")
    time.sleep(1.1)  # HDF5 dates in seconds, where it dates
    save_checkpoint(copy, tmp_path / "b")
    for name in (CONFIG, WEIGHTS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_saving_again_replaces_the_folder(tmp_path: Path) -> None:
    save_checkpoint(VAE(3), tmp_path / "vae")
    save_checkpoint(VAE(4), tmp_path / "vae")
    assert load_checkpoint(tmp_path / "vae").latent_dim == 4
    assert [path.name for path in tmp_path.iterdir()] == ["vae"]


def test_missing_checkpoint_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json is missing; `dvc repro train` makes it"):
        load_checkpoint(tmp_path / "vae")
    save_checkpoint(VAE(3), tmp_path / "vae")
    (tmp_path / "vae" / WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"vae\.weights\.h5 is missing; `dvc repro train` makes it"):
        load_checkpoint(tmp_path / "vae")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (CONFIG, "{"),
        (CONFIG, "{}"),
        (CONFIG, json.dumps({"latent_dim": "three"})),
        (CONFIG, json.dumps({"latent_dim": 4})),
        (WEIGHTS, "not HDF5"),
    ],
)
def test_what_is_not_a_checkpoint_of_this_model_is_refused(tmp_path: Path, name: str, content: str) -> None:
    save_checkpoint(VAE(3), tmp_path / "vae")
    (tmp_path / "vae" / name).write_text(content)
    with pytest.raises(InputError, match="is not a checkpoint of this model"):
        load_checkpoint(tmp_path / "vae")
