import time
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from vae.errors import InputError
from vae.nn.classifier import (
    build_classifier,
    features,
    load_classifier,
    predict,
    save_classifier,
    train_classifier,
)
from vae.splits import Split

SETTINGS = {"epochs": 4, "batch_size": 20, "learning_rate": 0.005}


@pytest.fixture
def squares() -> Split:
    """120 images of a bright square in one of three corners, on noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(120, dtype=np.uint8) % 3
    images = rng.uniform(0, 0.5, size=(120, 28, 28, 1)).astype("float32")
    for image, (row, column) in zip(images, np.array([[2, 2], [2, 16], [16, 2]])[labels], strict=True):
        image[row : row + 8, column : column + 8] += 0.5
    return Split(images, labels, np.array(["a", "b", "c"]))


def part(split: Split, rows: slice) -> Split:
    return Split(split.images[rows], split.labels[rows], split.class_names)


def trained(split: Split, seed: int = 0, **changes: float) -> keras.Model:
    settings = SETTINGS | {"seed": seed} | changes
    return train_classifier(part(split, slice(90)), part(split, slice(90, 120)), **settings)  # type: ignore[arg-type]


def test_training_takes_it_from_chance_to_certainty(squares: Split) -> None:
    unseen = part(squares, slice(90, 120))
    before = predict(build_classifier((28, 28, 1), 3, 0), unseen.images, 16)
    assert np.mean(before == unseen.labels) < 0.7
    assert np.mean(predict(trained(squares), unseen.images, 16) == unseen.labels) == 1


def test_loading_leaves_the_random_state_alone(tmp_path: Path) -> None:
    save_classifier(build_classifier((28, 28, 1), 3, 0), tmp_path / "classifier")
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    load_classifier(tmp_path / "classifier")
    assert np.random.random() == expected


def test_same_seed_gives_the_same_weights(squares: Split) -> None:
    first, same, other = (trained(squares, seed, epochs=1).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_best_validation_epoch_is_kept(squares: Split, capsys: pytest.CaptureFixture[str]) -> None:
    # the validation labels are wrong ones: what is learnt makes their loss rise
    wrong = squares._replace(labels=np.where(np.arange(120) < 90, squares.labels, (squares.labels + 1) % 3))
    model = trained(wrong)
    losses = [float(line.split("validation ")[1].split(",")[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 4
    assert losses.index(min(losses)) < 3
    validation = part(wrong, slice(90, 120))
    kept = model.evaluate(validation.images, validation.labels, verbose=0)[0]
    assert kept == pytest.approx(min(losses), abs=1e-3)


def test_one_line_an_epoch_where_there_is_no_terminal(squares: Split, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained(squares, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    right = np.mean(predict(model, squares.images[90:], 30) == squares.labels[90:])
    assert lines[1].startswith("epoch 2/2: loss ")
    assert f"accuracy {right:.4f}, " in lines[1]


def test_a_loss_that_is_no_number_is_one_sentence(squares: Split) -> None:
    with pytest.raises(
        InputError, match=r"in epoch 1, step 2 of 5, .*; classify\.learning_rate is 1e\+38: try a lower one\.$"
    ):
        trained(squares, learning_rate=1e38)


def test_features_are_the_values_before_the_last_activation_in_order(images: NDArray[np.float32]) -> None:
    model = build_classifier((28, 28, 1), 10, 0)
    found = features(model, images, batch_size=4)
    assert (found.shape, found.dtype) == ((6, 64), np.float32)
    assert found.min() < 0
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(np.maximum(found, 0) @ kernel + bias, model(images), atol=1e-5)


def test_loaded_model_computes_what_the_saved_one_did(tmp_path: Path, images: NDArray[np.float32]) -> None:
    model = build_classifier((28, 28, 1), 7, 3)
    save_classifier(model, tmp_path / "classifier")
    loaded = load_classifier(tmp_path / "classifier")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert sorted(path.name for path in (tmp_path / "classifier").iterdir()) == [
        "classifier.weights.h5",
        "config.json",
    ]


def test_equal_weights_give_equal_bytes_at_any_time_trained_or_not(tmp_path: Path, squares: Split) -> None:
    model = trained(squares, epochs=1)
    copy = build_classifier((28, 28, 1), 3, 5)
    copy.set_weights(model.get_weights())
    save_classifier(model, tmp_path / "a")
    time.sleep(1.1)  # HDF5 dates in seconds, where it dates
    save_classifier(copy, tmp_path / "b")
    for name in ("config.json", "classifier.weights.h5"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_is_missing_or_no_classifier_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json is missing; `dvc repro classify` makes it"):
        load_classifier(tmp_path / "classifier")
    save_classifier(build_classifier((28, 28, 1), 3, 0), tmp_path / "classifier")
    (tmp_path / "classifier/config.json").write_text('{"image_shape": [28, 28], "classes": 3}')
    with pytest.raises(InputError, match="is not a checkpoint of this model"):
        load_classifier(tmp_path / "classifier")
