"""A model in a `.keras` file: equal after any of Keras's ways to copy it, equal bytes, and refused when damaged."""

import copy
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vae.errors import InputError
from vae.model.checkpoint import load_model, save_model
from vae.model.vae import VAE
from vae.training.optimizers import ConvMuon
from vae.training.schedules import Trapezoid

SMALL = (12, 12, 1)
WEIGHTS = "model.weights.h5"


def load(path: Path) -> VAE:
    return load_model(path, VAE, stage="train")


def refusal(path: Path) -> str:
    """Return why the file is refused, without the beginning and the end that all such messages have."""
    with pytest.raises(InputError) as refused:
        load(path)
    beginning, end = f"{path} is not a model that `dvc repro train` made: ", "; that command makes it again."
    message = str(refused.value)
    assert (message[: len(beginning)], message[-len(end) :]) == (beginning, end)
    return message[len(beginning) : -len(end)]


def through_save_model(model: keras.Model, folder: Path) -> keras.Model:
    save_model(model, folder / "model.keras")
    return load(folder / "model.keras")


def through_keras(model: keras.Model, folder: Path) -> keras.Model:
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def through_checkpoint_callback(model: keras.Model, folder: Path) -> keras.Model:
    callback = keras.callbacks.ModelCheckpoint(folder / "epoch{epoch}.keras")
    model.fit(np.zeros((1, 28, 28, 1), "float32"), epochs=2, verbose=0, callbacks=[callback])
    return keras.models.load_model(folder / "epoch2.keras")


def through_clone_model(model: keras.Model, folder: Path) -> keras.Model:
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def through_deepcopy(model: keras.Model, folder: Path) -> keras.Model:
    return copy.deepcopy(model)


Copy = Callable[[keras.Model, Path], keras.Model]


@pytest.fixture(scope="module")
def trained() -> VAE:
    """A model after a step of training."""
    model = VAE((28, 28, 1), 4, dropout=0.3, precision="mixed_bfloat16", class_names=["a", "b"])
    model.compile(ConvMuon(0.01))
    model.train_on_batch(np.zeros((6, 28, 28, 1), "float32"))
    return model


@pytest.mark.parametrize(
    "copied",
    [through_save_model, through_keras, through_checkpoint_callback, through_clone_model, through_deepcopy],
)
def test_a_copy_of_the_model_has_its_configuration_and_its_outputs(
    copied: Copy, trained: VAE, tmp_path: Path, images: NDArray[np.float32]
) -> None:
    model, twin = trained, copied(trained, tmp_path)
    assert isinstance(twin, VAE)
    assert twin.get_config() == model.get_config()
    assert (twin.latent_dim, twin.class_names, twin.image_shape) == (4, ("a", "b"), (28, 28, 1))
    assert twin.decoder.get_layer("deconv_3").dtype_policy.name == "mixed_bfloat16"
    for output, expected in zip(twin.encode(images), model.encode(images), strict=True):
        np.testing.assert_array_equal(output, expected)
    np.testing.assert_array_equal(twin.reconstruct(images), model.reconstruct(images))


@pytest.mark.parametrize("copied", [through_keras, through_clone_model, through_deepcopy])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_copy_of_the_encoder_or_the_decoder_has_its_outputs(
    copied: Copy, precision: str, tmp_path: Path, images: NDArray[np.float32]
) -> None:
    model = VAE((28, 28, 1), 4, dropout=0.3, precision=precision)
    z = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    for part, values in ((model.encoder, images), (model.decoder, z)):
        twin = copied(part, tmp_path)
        for output, expected in zip(keras.tree.flatten(twin(values)), keras.tree.flatten(part(values)), strict=True):
            np.testing.assert_array_equal(output, expected)


def test_training_continues_where_a_compiled_model_was_saved(tmp_path: Path, images: NDArray[np.float32]) -> None:
    model = VAE((28, 28, 1), 4, epsilon_std=0.0)
    model.compile(ConvMuon(Trapezoid(0.01, steps=10, warmup_steps=4)))
    for _ in range(3):
        model.train_on_batch(images)
    model.save(tmp_path / "model.keras")
    resumed = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(resumed.optimizer, ConvMuon)
    for _ in range(2):
        assert resumed.train_on_batch(images) == pytest.approx(model.train_on_batch(images), rel=1e-5)
    assert float(resumed.optimizer.learning_rate) == float(model.optimizer.learning_rate) == pytest.approx(0.01)
    for weights, expected in zip(resumed.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_equal_weights_give_equal_bytes_at_any_time_trained_or_not(trained: VAE, tmp_path: Path) -> None:
    fresh = VAE.from_config(trained.get_config())
    fresh.set_weights(trained.get_weights())
    save_model(trained, tmp_path / "a.keras")
    time.sleep(2)  # the resolution of dates in a ZIP file
    save_model(fresh, tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_saving_again_replaces_the_file(tmp_path: Path) -> None:
    for latent_dim in (2, 3):
        save_model(VAE(SMALL, latent_dim), tmp_path / "vae.keras")
    assert load(tmp_path / "vae.keras").latent_dim == 3
    assert [path.name for path in tmp_path.iterdir()] == ["vae.keras"]


def test_a_missing_or_unreadable_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "vae.keras"
    with pytest.raises(InputError) as refused:
        load(path)
    assert str(refused.value) == f"{path} is missing; `dvc repro train` makes it."
    path.mkdir()
    with pytest.raises(InputError) as refused:
        load(path)
    assert str(refused.value) == f"{path} cannot be read: Is a directory."


@pytest.fixture(scope="module")
def model() -> VAE:
    """A small model, not to be changed."""
    return VAE(SMALL, 1)


@pytest.fixture(scope="module")
def content(model: VAE, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of its file."""
    path = tmp_path_factory.mktemp("saved") / "vae.keras"
    save_model(model, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a file that tests write and damage."""
    return tmp_path_factory.mktemp("damaged") / "vae.keras"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_file_with_any_byte_changed_cut_or_added_is_refused_or_is_the_same_model(
    content: bytes, damaged: Path, model: VAE, data: st.DataObject
) -> None:
    # Half of the places are in the structure of the archive, where a change may do no harm.
    place = data.draw(st.sampled_from(structure(content)) | st.integers(0, len(content) - 1))
    changed = bytes([content[place] ^ data.draw(st.integers(1, 255))])
    flipped = content[:place] + changed + content[place + 1 :]
    damaged.write_bytes(data.draw(st.sampled_from([flipped, flipped, content[:place], content + content[place:]])))
    outcome = load_or_message(damaged)
    if isinstance(outcome, str):
        assert outcome.startswith(f"{damaged} is not a model")
        assert len(outcome.splitlines()) == 1
    else:
        assert outcome.get_config() == model.get_config()
        for values, expected in zip(outcome.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(values, expected)


def structure(content: bytes) -> list[int]:
    """Return the places of all bytes outside the contents of the archive's entries."""
    places = set(range(len(content)))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        for entry in file.infolist():
            start = entry.header_offset + 30 + len(entry.filename)
            places -= set(range(start, start + entry.file_size))
    return sorted(places)


def load_or_message(path: Path) -> VAE | str:
    try:
        return load(path)
    except InputError as error:
        return str(error)


def archive(content: bytes, compression: int = zipfile.ZIP_STORED, **changes: Any) -> bytes:
    """Return the bytes of an archive with changes to its configuration, or without its weights."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    if changes.pop("weights", True) is None:
        del parts[WEIGHTS]
    config["config"] |= changes.pop("config", {})
    parts["config.json"] = json.dumps(config | changes).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return written.getvalue()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda c: b"", "it is damaged or not a .keras file", id="empty"),
        pytest.param(lambda c: b"no archive", "it is damaged or not a .keras file", id="not an archive"),
        pytest.param(lambda c: archive(c, weights=None), "Keras cannot load it", id="no weights"),
        pytest.param(lambda c: archive(c, registered_name="?"), "Keras cannot load it", id="unknown class"),
        pytest.param(lambda c: archive(c, config={"latent_dim": 2}), "Keras cannot load it", id="other shapes"),
        pytest.param(lambda c: archive(c, config={"size": 2}), "Keras cannot load it", id="unknown argument"),
        pytest.param(lambda c: archive(c, config={"prior": "?"}), "Keras cannot load it", id="unknown prior"),
    ],
)
def test_a_file_with_other_contents_is_refused(
    make: Callable[[bytes], bytes], reason: str, content: bytes, damaged: Path
) -> None:
    damaged.write_bytes(make(content))
    assert refusal(damaged).startswith(reason)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_compressed_file_is_refused(compression: int, content: bytes, damaged: Path) -> None:
    compressed = bytearray(archive(content, compression))
    place = len(compressed) // 2
    compressed[place : place + 8] = bytes(8)
    damaged.write_bytes(compressed)
    assert "damaged" in refusal(damaged)


def test_a_model_of_another_class_is_refused(model: VAE, tmp_path: Path) -> None:
    model.encoder.save(tmp_path / "vae.keras")
    assert refusal(tmp_path / "vae.keras") == "it contains a Functional, not a VAE"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_weights_are_neither_saved_nor_loaded(tmp_path: Path, value: float) -> None:
    model, path = VAE(SMALL, 2), tmp_path / "vae.keras"
    weights = model.get_weights()
    weights[-1][...] = value
    model.set_weights(weights)
    message = f"{path} is not written: weights of the trained model are NaN or infinite; try a lower learning rate."
    with pytest.raises(InputError) as refused:
        save_model(model, path)
    assert str(refused.value) == message
    assert not path.exists()
    model.save(path)
    assert refusal(path) == "it has weights that are NaN or infinite"
