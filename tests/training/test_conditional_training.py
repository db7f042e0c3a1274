"""The training of a conditional model: its labels stay with their images, and it resumes to the same weights."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from tests.training.small_training import MODEL, TRAIN, train_settings
from vae.data import shards
from vae.data.shards import save_split
from vae.data.splits import Split, load_split
from vae.errors import InputError
from vae.model.checkpoint import save_model
from vae.model.vae import VAE
from vae.training.batches import batches, pairs_as_inputs, shuffled_batches
from vae.training.fit import build_model, fit
from vae.training.initial_weights import set_initial_weights
from vae.training.resume import StateFile

SETTINGS = train_settings(epochs=3, batch_size=7, optimizer="muon", schedule="cosine", objective="dreg", samples=2)
NAMES = np.array(["a", "b", "c"])
Splits = tuple[Split, Split]


def splits_in(folder: Path, count: int = 30) -> Splits:
    """Write images whose level is 80 times their label, and read them."""
    for name, seed in (("train", 0), ("validation", 1)):
        labels = np.random.default_rng(seed).integers(3, size=count, dtype=np.uint8)
        levels = np.broadcast_to(80 * labels[:, np.newaxis, np.newaxis, np.newaxis], (count, 12, 12, 1))
        save_split(folder / f"{name}.npz", levels.astype(np.uint8), labels, NAMES)
    train, validation = (load_split(folder / f"{name}.npz") for name in ("train", "validation"))
    return train, validation


@pytest.fixture(params=["memory", "disk"])
def splits(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Splits:
    if request.param == "disk":
        monkeypatch.setattr(shards, "MAX_BYTES", 7 * 144)
    return splits_in(tmp_path / "data")


def conditional(data: Split, **changes: Any) -> VAE:
    settings = MODEL.model_copy(update={"conditional": True, "architecture": "mlp", "dropout": 0.2} | changes)
    return build_model(data, settings, SETTINGS, seed=1)


class Stop(keras.callbacks.Callback):
    """Interrupts a training as its second epoch begins."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            raise KeyboardInterrupt


def trained(splits: Splits, path: Path, *callbacks: keras.callbacks.Callback) -> list[NDArray[np.float32]]:
    train, validation = splits
    model, labels = conditional(train), (train.known_labels, validation.known_labels)
    fit(model, train.images, validation.images, SETTINGS, 1, StateFile(path, "same"), callbacks, labels=labels)
    return list(model.get_weights())


@pytest.mark.parametrize("binarize", [False, True])
def test_every_batch_is_one_input_of_images_and_their_labels(splits: Splits, binarize: bool) -> None:
    train, _ = splits
    shuffled = shuffled_batches(train.images, 7, 3, range(2), train.labels, binarize=binarize)
    for data, epochs in ((shuffled, 2), (batches(train.images, 7, train.labels), 1)):
        found = list(pairs_as_inputs(data))
        assert sum(len(labels) for ((_, labels),) in found) == epochs * 30
        for ((images, labels),) in found:
            levels = 255 * images.numpy().reshape(len(labels), -1)
            if binarize and data is shuffled:
                assert ((levels > 0).any(axis=1) == (labels.numpy() > 0)).all()
            else:
                np.testing.assert_allclose(levels, np.tile(80.0 * labels.numpy()[:, np.newaxis], 144), rtol=1e-6)
        assert pairs_as_inputs(data).options().autotune.enabled is False


@pytest.mark.slow
def test_an_interrupted_training_resumes_to_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    splits = splits_in(tmp_path / "memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "MAX_BYTES", 7 * 144)
        stored = splits_in(tmp_path / "disk")
    expected = trained(splits, tmp_path / "whole.npz")
    with pytest.raises(KeyboardInterrupt):
        trained(stored, tmp_path / "state.npz", Stop())
    for weight, exact in zip(trained(stored, tmp_path / "state.npz"), expected, strict=True):
        np.testing.assert_array_equal(weight, exact)


def test_the_training_and_the_validation_use_the_labels(tmp_path: Path) -> None:
    train, validation = splits_in(tmp_path)
    labels = train.known_labels, validation.known_labels
    histories = [
        fit(conditional(train), train.images, validation.images, train_settings(epochs=1), 1, labels=each)
        for each in (labels, ((labels[0] + 1) % 3, labels[1]), (labels[0], (labels[1] + 1) % 3))
    ]
    assert len({history.loss[0] for history in histories}) == 2
    assert histories[2].loss[0] == histories[0].loss[0]
    assert len({history.val_loss[0] for history in histories}) == 3


def test_a_conditional_model_is_refused_without_labels(tmp_path: Path) -> None:
    train, validation = splits_in(tmp_path)
    labels = train.known_labels, validation.known_labels
    with pytest.raises(InputError) as refused:
        conditional(Split(train.images, None, np.array([], np.str_)))
    assert str(refused.value) == (
        "model.conditional is true in params.yaml, but the prepared images have no labels; set it to false, or use "
        "images with labels."
    )
    with pytest.raises(InputError, match=r"^the model is conditional, so it needs the label of each image too"):
        fit(conditional(train), train.images, validation.images, TRAIN, 1)
    with pytest.raises(InputError, match=r"^labels are given, but the model is not conditional and takes none"):
        fit(conditional(train, conditional=False), train.images, validation.images, TRAIN, 1, labels=labels)


def test_initial_weights_are_those_of_a_conditional_model_of_the_same_classes(tmp_path: Path) -> None:
    train, _ = splits_in(tmp_path / "data")
    path, model = tmp_path / "start.keras", conditional(train)
    save_model(model, path)
    other = conditional(train)
    other.set_weights([weight + 1 for weight in model.get_weights()])
    set_initial_weights(other, path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    start = f"train.initial_weights: {path} is a model with "
    with pytest.raises(InputError) as refused:
        set_initial_weights(conditional(train, conditional=False), path)
    assert str(refused.value) == f"{start}conditional True, but the model to train has False."
    with pytest.raises(InputError) as refused:
        set_initial_weights(conditional(train._replace(class_names=np.array(["a", "c", "b"]))), path)
    assert str(refused.value) == (f"{start}class_names ['a', 'b', 'c'], but the model to train has ['a', 'c', 'b'].")


def test_a_data_set_of_pairs_is_the_input_of_fit_and_evaluate(tmp_path: Path) -> None:
    train, _ = splits_in(tmp_path)
    model = conditional(train, dropout=0.0)
    model.compile("adam")
    data = pairs_as_inputs(batches(train.images, 30, train.labels))
    assert isinstance(data, tf.data.Dataset)
    images = train.images[:]
    found = [model.evaluate(x, batch_size=30, verbose=0, return_dict=True) for x in (data, (images, train.labels))]
    assert found[0]["kl"] == pytest.approx(found[1]["kl"], rel=1e-6)
    model.fit(data, validation_data=data, shuffle=False, verbose=0)
