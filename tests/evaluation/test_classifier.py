import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data.shards import StoredImages, normalize
from vae.data.splits import Split
from vae.errors import InputError
from vae.evaluation.classifier import Classifier, features, predict, train_classifier
from vae.model.checkpoint import load_model, save_model
from vae.training.callbacks import DivergenceError

SHAPE = (20, 24, 1)
SETTINGS: dict[str, Any] = {"epochs": 4, "batch_size": 20, "learning_rate": 0.005, "seed": 0}
TRAIN, VALIDATION = slice(90), slice(90, 120)
SHAPES = [(8, 8, 1), (8, 47, 2), (33, 47, 3), pytest.param((256, 256, 3), marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def squares() -> Split:
    """120 images of a bright square in one of three corners, on noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(120, dtype=np.uint8) % 3
    images = rng.uniform(0, 0.5, size=(120, *SHAPE)).astype("float32")
    for image, (row, column) in zip(images, np.array([[1, 1], [1, 16], [12, 1]])[labels], strict=True):
        image[row : row + 7, column : column + 7] += 0.5
    return Split(images, labels, np.array(["a", "b", "c"]))


def part(split: Split, rows: slice) -> Split:
    return Split(split.images[rows], split.known_labels[rows], split.class_names)


def trained(split: Split, **changes: float) -> Classifier:
    return train_classifier(part(split, TRAIN), part(split, VALIDATION), **SETTINGS | changes)


@pytest.fixture(scope="module")
def model(squares: Split) -> Classifier:
    return trained(squares)


def test_training_goes_from_chance_to_certainty(squares: Split, model: Classifier) -> None:
    unseen = part(squares, VALIDATION)
    keras.utils.set_random_seed(0)
    untrained = Classifier(SHAPE, ["a", "b", "c"], seed=0)
    assert np.mean(predict(untrained, unseen.images, 16) == unseen.labels) < 0.7
    assert np.mean(predict(model, unseen.images, 16) == unseen.labels) == 1


def test_weights_depend_only_on_the_seed(squares: Split) -> None:
    first, same, other = (trained(squares, seed=seed, epochs=1).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_best_validation_epoch_is_kept(squares: Split, capsys: pytest.CaptureFixture[str]) -> None:
    # The validation labels are wrong: what is learned makes the loss on them rise.
    labels = squares.known_labels.copy()
    labels[VALIDATION] = (labels[VALIDATION] + 1) % 3
    wrong = squares._replace(labels=labels)
    model = trained(wrong)
    losses = [float(line.split("validation ")[1].split(",")[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 4
    assert losses.index(min(losses)) < 3
    validation = part(wrong, VALIDATION)
    kept = model.evaluate(validation.images, validation.labels, verbose=0)[0]
    assert kept == pytest.approx(min(losses), abs=1e-3)


def test_one_line_per_epoch_is_printed_without_a_terminal(squares: Split, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained(squares, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    share = np.mean(predict(model, squares.images[VALIDATION], 30) == squares.known_labels[VALIDATION])
    assert lines[1].startswith("epoch 2/2: loss ")
    assert f"accuracy {share:.4f}, " in lines[1]


def test_a_divergence_names_the_setting_to_change(squares: Split) -> None:
    with pytest.raises(DivergenceError, match=r"epoch 1, step 2 of 5, .*; classify\.learning_rate is 1e\+38"):
        trained(squares, learning_rate=1e38)


@pytest.mark.parametrize("unlabelled", ["train", "validation"])
def test_training_without_labels_is_refused(squares: Split, unlabelled: str) -> None:
    splits = {"train": squares, "validation": squares} | {unlabelled: squares._replace(labels=None)}
    with pytest.raises(InputError, match="no labels"):
        train_classifier(splits["train"], splits["validation"], **SETTINGS)


def test_features_are_the_values_before_the_last_activation_in_order(squares: Split, model: Classifier) -> None:
    images = squares.images[:6]
    found = features(model, images, batch_size=4)
    assert found.shape == (6, 64)
    assert found.dtype == np.float32
    assert found.min() < 0
    kernel, bias = model.network.get_layer("logits").get_weights()
    np.testing.assert_allclose(np.maximum(found, 0) @ kernel + bias, model(images), atol=1e-5)


def test_images_on_disk_and_images_made_in_batches_have_the_same_classes_and_features(
    model: Classifier, on_disk: Callable[[NDArray[np.uint8]], StoredImages]
) -> None:
    levels = np.random.default_rng(0).integers(256, size=(20, *SHAPE), dtype=np.uint8)
    images, stored, rows = normalize(levels), on_disk(levels), np.arange(19, -1, -1)
    np.testing.assert_array_equal(predict(model, stored, 6), model(images).numpy().argmax(axis=1))
    expected = features(model, images, 6)
    np.testing.assert_array_equal(features(model, stored, 6), expected)
    np.testing.assert_array_equal(
        features(model, rows, 6, to_images=stored.__getitem__), features(model, images[::-1], 6)
    )


def through_a_checkpoint(model: Classifier, folder: Path) -> Classifier:
    save_model(model, folder / "classifier.keras")
    return load_model(folder / "classifier.keras", Classifier, stage="classify")


def through_keras(model: Classifier, folder: Path) -> Any:
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def by_deepcopy(model: Classifier, folder: Path) -> Classifier:
    return copy.deepcopy(model)


def by_clone_model(model: Classifier, folder: Path) -> Any:
    clone = keras.models.clone_model(model)  # with initial weights of its own
    clone.set_weights(model.get_weights())
    return clone


@pytest.mark.parametrize("copied", [through_a_checkpoint, through_keras, by_deepcopy, by_clone_model])
def test_a_copy_is_an_equal_model(
    squares: Split, model: Classifier, tmp_path: Path, copied: Callable[[Classifier, Path], Any]
) -> None:
    found = copied(model, tmp_path)
    assert type(found) is Classifier
    assert found.get_config() == model.get_config()
    assert found.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(found(squares.images), model(squares.images))
    np.testing.assert_array_equal(features(found, squares.images, 120), features(model, squares.images, 120))


def test_equal_weights_give_equal_bytes_trained_or_not(tmp_path: Path, model: Classifier) -> None:
    untrained = Classifier.from_config(model.get_config())
    untrained.set_weights(model.get_weights())
    save_model(model, tmp_path / "trained.keras")
    save_model(untrained, tmp_path / "untrained.keras")
    assert (tmp_path / "trained.keras").read_bytes() == (tmp_path / "untrained.keras").read_bytes()


def test_loading_does_not_change_the_random_state_of_numpy(tmp_path: Path, model: Classifier) -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    through_a_checkpoint(model, tmp_path)
    assert np.random.random() == expected


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bright_and_dark_images_of_any_shape_are_told_apart(shape: tuple[int, int, int], tmp_path: Path) -> None:
    labels = np.arange(16, dtype=np.uint8) % 2
    images = np.random.default_rng(0).uniform(0, 0.2, size=(16, *shape)).astype("float32")
    images[labels == 1] += 0.7
    split = Split(images, labels, np.array(["dark", "bright"]))
    model = through_a_checkpoint(train_classifier(split, split, **SETTINGS | {"batch_size": 4}), tmp_path)
    np.testing.assert_array_equal(predict(model, images, 500), labels)
    assert features(model, images, 500).shape == (16, 64)


def test_classes_without_images_in_a_split_are_accepted() -> None:
    rng = np.random.default_rng(0)
    names = np.array([f"class {number}" for number in range(300)])
    train = Split(rng.random((12, 8, 8, 1), dtype=np.float32), np.repeat([3, 280], 6).astype(np.uint16), names)
    validation = train._replace(labels=np.full(12, 7, np.uint16))  # a class that was not trained
    model = train_classifier(train, validation, **SETTINGS)
    assert model(train.images).shape == (12, 300)
    assert predict(model, train.images, 5).max() < 300


def test_images_of_one_class_are_refused(squares: Split) -> None:
    one = squares._replace(labels=np.ones(120, np.uint8))
    with pytest.raises(InputError, match=r"^the training images are all of one class, "):
        train_classifier(one, squares, **SETTINGS)
