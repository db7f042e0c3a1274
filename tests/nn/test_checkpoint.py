import itertools
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vae.errors import InputError
from vae.nn import checkpoint
from vae.nn.checkpoint import load_checkpoint, save_checkpoint
from vae.nn.classifier import build_classifier, save_classifier
from vae.nn.model import VAE
from vae.nn.weights import CONFIG, save_model

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


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of 3 latent dimensions, not to be changed."""
    path = tmp_path_factory.mktemp("saved") / "vae"
    save_checkpoint(VAE(3), path)
    return path


@pytest.fixture(scope="module")
def folder(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it that tests damage, each from anew."""
    return Path(shutil.copytree(saved, tmp_path_factory.mktemp("damaged") / "vae"))


DAMAGED = "it was changed or damaged, as the SHA-256 in config.json shows"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param(CONFIG, b"", "config.json is not JSON", id="empty"),
        pytest.param(CONFIG, b'{"latent_dim": 3', "config.json is not JSON", id="cut"),
        pytest.param(CONFIG, b'{"latent_dim": "\xe9"}', "config.json is not JSON", id="not UTF-8"),
        pytest.param(CONFIG, b"[" * 10**5, "config.json is not JSON", id="nested without end"),
        pytest.param(CONFIG, b"[3]", "config.json has no 'sha256'", id="list"),
        pytest.param(CONFIG, b'{"latent_dim": 3}', "config.json has no 'sha256'", id="no checksum"),
        pytest.param(CONFIG, b'{"latent_dim": 3, "sha256": null}', DAMAGED, id="no string for a checksum"),
        pytest.param(WEIGHTS, b"", DAMAGED, id="no weights"),
        pytest.param(WEIGHTS, b"not HDF5", DAMAGED, id="no HDF5"),
    ],
)
def test_what_is_no_checkpoint_is_refused(folder: Path, saved: Path, name: str, content: bytes, reason: str) -> None:
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    (folder / name).write_bytes(content)
    assert refusal(folder) == reason


def refusal(path: Path) -> str:
    """Why it is no checkpoint, without what all such messages have."""
    with pytest.raises(InputError) as refused:
        load_checkpoint(path)
    beginning, end = f"{path} is not a checkpoint of this model: ", "; `dvc repro train` makes it anew."
    message = str(refused.value)
    assert (message[: len(beginning)], message[-len(end) :]) == (beginning, end)
    return message[len(beginning) : -len(end)]


@pytest.mark.parametrize("latent_dim", [4, 0, -1, 10**9, 3.0, "three", None, [3]])
def test_a_changed_configuration_is_refused_before_anything_is_built(
    folder: Path, saved: Path, latent_dim: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    config = json.loads((saved / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"latent_dim": latent_dim}))
    monkeypatch.setattr(checkpoint, "_build", lambda latent_dim: pytest.fail("built from what was not verified"))
    assert refusal(folder) == DAMAGED


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_weights_with_any_byte_changed_or_cut_off_or_added_are_refused(
    saved: Path, folder: Path, data: st.DataObject
) -> None:
    content = (saved / WEIGHTS).read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[place] ^= data.draw(st.integers(1, 255))
    changed = data.draw(st.sampled_from([bytes(damaged), content[:place], content + content[place:]]))
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    (folder / WEIGHTS).write_bytes(changed)
    assert refusal(folder) == DAMAGED


def test_a_configuration_with_any_byte_changed_is_refused(
    saved: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "_build", lambda latent_dim: pytest.fail("built from what was not verified"))
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    content = (saved / CONFIG).read_bytes()
    for place, flipped in itertools.product(range(len(content)), (0x01, 0x80)):
        (folder / CONFIG).write_bytes(content[:place] + bytes([content[place] ^ flipped]) + content[place + 1 :])
        refusal(folder)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda k: VAE(k + 1), id="other shapes"),
        pytest.param(
            lambda k: keras.Sequential([keras.Input((k,)), keras.layers.Dense(k)], name="vae"), id="other layers"
        ),
    ],
)
def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path, build: Callable[..., keras.Model]) -> None:
    # The checksum is right: it is the code that builds the model which has become another.
    save_model(build(3), tmp_path / "vae", lambda latent_dim: build(latent_dim), {"latent_dim": 3})
    assert refusal(tmp_path / "vae") == "it is of another architecture"


def test_a_classifier_in_its_place_is_refused(tmp_path: Path) -> None:
    save_classifier(build_classifier((28, 28, 1), 10, 0), tmp_path / "vae")
    with pytest.raises(InputError, match=r"vae\.weights\.h5 is missing; `dvc repro train` makes it\.$"):
        load_checkpoint(tmp_path / "vae")
    (tmp_path / "vae/classifier.weights.h5").rename(tmp_path / "vae" / WEIGHTS)
    assert refusal(tmp_path / "vae") == "it is of another architecture"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_finite_numbers_are_neither_saved_nor_loaded(
    tmp_path: Path, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = VAE(3)
    weights = model.get_weights()
    weights[-1][...] = value
    model.set_weights(weights)
    with pytest.raises(
        InputError, match=r"vae is not written: weights .* are NaN or infinite; try a lower learning rate\.$"
    ):
        save_checkpoint(model, tmp_path / "vae")
    assert not (tmp_path / "vae").exists()
    with monkeypatch.context() as patched:
        patched.setattr("vae.nn.weights._is_finite", lambda model: True)
        save_checkpoint(model, tmp_path / "vae")
    assert refusal(tmp_path / "vae") == "it has weights that are NaN or infinite"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vae").write_text("")
    with pytest.raises(InputError, match=r"vae/config\.json cannot be read: Not a directory\.$"):
        load_checkpoint(tmp_path / "vae")
