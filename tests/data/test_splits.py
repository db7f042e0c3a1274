"""The prepared splits and their files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data import shards
from vae.data.shards import save_split
from vae.data.splits import Split, first_images, load_split, load_splits, missing_classes
from vae.errors import InputError
from vae.io.arrays import save_arrays

IMAGES = np.random.default_rng(0).uniform(size=(20, 8, 6, 3)).astype("float32")
LABELS = np.arange(20, dtype=np.uint8) % 4
NAMES = np.array(["cat", "dog", "é", "12"])
LABELLED, UNLABELLED = Split(IMAGES, LABELS, NAMES), Split(IMAGES, None, np.array([], np.str_))


@pytest.mark.parametrize("split", [LABELLED, UNLABELLED], ids=["labelled", "unlabelled"])
def test_a_split_is_loaded_as_it_was_saved(tmp_path: Path, split: Split) -> None:
    save_split(tmp_path / "prepared/train.npz", *split)
    loaded = load_split(tmp_path / "prepared/train.npz")
    np.testing.assert_array_equal(loaded.images, split.images, strict=True)
    assert loaded.class_names.tolist() == split.class_names.tolist()
    if split.labels is None:
        assert loaded.labels is None
    else:
        np.testing.assert_array_equal(loaded.known_labels, split.labels, strict=True)


def test_labels_of_more_than_256_classes_are_16_bit(tmp_path: Path) -> None:
    names = np.array([f"class {number}" for number in range(300)])
    path = tmp_path / "train.npz"
    for labels in (LABELS.astype(np.uint16) + 250, LABELS):
        save_split(path, *Split(IMAGES, labels, names))
        if labels.dtype == np.uint16:
            np.testing.assert_array_equal(load_split(path).known_labels, labels, strict=True)
        else:
            with pytest.raises(InputError, match="'labels' is uint8 with 1 dimensions, but must be uint16 with 1"):
                load_split(path)


def test_missing_labels_are_reported_where_they_are_needed() -> None:
    with pytest.raises(InputError, match="no labels"):
        _ = UNLABELLED.known_labels


def with_one(array: NDArray[Any], value: float) -> NDArray[Any]:
    changed = array.copy()
    changed.flat[5] = value
    return changed


PIXELS = "array 'images' has values from {}, but must be within 0 and 1"
WRONG = [
    ({"images": IMAGES.astype("float64")}, "array 'images' is float64 with 4 dimensions, but must be float32 with 4"),
    ({"images": IMAGES[..., 0]}, "array 'images' is float32 with 3 dimensions, but must be float32 with 4"),
    ({"images": np.float32(0)}, "array 'images' is float32 with 0 dimensions, but must be float32 with 4"),
    ({"images": IMAGES[:0], "labels": LABELS[:0]}, "it contains no images"),
    ({"images": with_one(IMAGES, np.nan)}, PIXELS.format("nan to nan")),
    ({"images": with_one(IMAGES * 0, np.inf)}, PIXELS.format("0 to inf")),
    ({"images": with_one(IMAGES * 0, 255)}, PIXELS.format("0 to 255")),
    ({"images": with_one(IMAGES * 0, -1)}, PIXELS.format("-1 to 0")),
    ({"labels": LABELS.astype("int64")}, "array 'labels' is int64 with 1 dimensions, but must be uint8 with 1"),
    ({"labels": LABELS[:, None]}, "array 'labels' is uint8 with 2 dimensions, but must be uint8 with 1"),
    ({"labels": LABELS[1:]}, "it contains 19 labels for 20 images"),
    ({"labels": with_one(LABELS, 4)}, "array 'labels' contains 4, but must be below 4"),
    ({"class_names": np.array([b"cat"] * 4)}, "array 'class_names' is |S3 with 1 dimensions, but must be str with 1"),
    ({"class_names": np.arange(4)}, "array 'class_names' is int64 with 1 dimensions, but must be str with 1"),
    ({"class_names": NAMES[:3]}, "array 'labels' contains 3, but must be below 3"),
]


@pytest.mark.parametrize(("changes", "reason"), WRONG, ids=[reason for _, reason in WRONG])
def test_a_file_that_no_stage_writes_is_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    path = tmp_path / "train.npz"
    save_arrays(path, **LABELLED._asdict() | changes)
    with pytest.raises(InputError) as refused:
        load_split(path)
    assert str(refused.value) == f"{path}: {reason}; `dvc repro` makes it again."


@pytest.mark.parametrize("missing", ["images", "class_names"])
def test_a_file_without_images_or_class_names_is_refused(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "train.npz"
    save_arrays(path, **{name: array for name, array in LABELLED._asdict().items() if name != missing})
    with pytest.raises(InputError, match=f"array '{missing}' is missing"):
        load_split(path)


def test_several_splits_are_loaded_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number, name in enumerate(("train", "validation", "test")):
        save_split(tmp_path / f"{name}.npz", *LABELLED._replace(images=IMAGES[number:], labels=LABELS[number:]))
    assert [len(split.images) for split in load_splits(tmp_path)] == [20, 19, 18]
    assert [len(split.images) for split in load_splits(tmp_path, ("test", "train"))] == [18, 20]
    assert [len(split.images) for split in load_splits(tmp_path, ["test"], image_shape=(8, 6, 3))] == [18]


@pytest.mark.parametrize(
    ("test", "shape", "refused", "right"),
    [
        (IMAGES[:, :7], None, "test", (8, 6, 3)),
        (IMAGES[:, :7], (7, 6, 3), "train", (7, 6, 3)),
        (IMAGES, (8, 6, 1), "train", (8, 6, 1)),
    ],
)
def test_splits_of_another_shape_are_refused(
    tmp_path: Path, test: NDArray[np.float32], shape: tuple[int, ...] | None, refused: str, right: tuple[int, ...]
) -> None:
    save_split(tmp_path / "train.npz", *LABELLED)
    save_split(tmp_path / "test.npz", *LABELLED._replace(images=test))
    found = (test if refused == "test" else IMAGES).shape[1:]
    with pytest.raises(InputError) as error:
        load_splits(tmp_path, ("train", "test"), image_shape=shape)
    reason = f"its images have the shape {found}, but must have {right}"
    assert str(error.value) == f"{tmp_path / refused}.npz: {reason}; `dvc repro` makes it again."


def test_splits_of_which_only_one_has_labels_are_refused(tmp_path: Path) -> None:
    save_split(tmp_path / "train.npz", *LABELLED)
    save_split(tmp_path / "test.npz", *UNLABELLED)
    for names, has, other in ((("train", "test"), "no ", ""), (("test", "train"), "", "no ")):
        with pytest.raises(InputError) as refused:
            load_splits(tmp_path, names)
        first, second = (f"{tmp_path / name}.npz" for name in names)
        reason = f"it contains {has}labels, but {first} contains {other}labels"
        assert str(refused.value) == f"{second}: {reason}; `dvc repro` makes it again."


def test_splits_without_labels_are_loaded(tmp_path: Path) -> None:
    for name in ("train", "test"):
        save_split(tmp_path / f"{name}.npz", *UNLABELLED)
    assert [split.labels for split in load_splits(tmp_path, ("train", "test"))] == [None, None]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [(None, "the images have no labels"), ([1, 1], "all images are of one class"), ([0, 2], "")],
)
def test_the_reason_why_no_classes_can_be_told_apart_is_named(labels: list[int] | None, reason: str) -> None:
    known = None if labels is None else np.array(labels, np.uint8)
    assert missing_classes(Split(IMAGES[:2], known, NAMES)) == reason


@pytest.mark.parametrize("count", [2, 3, 5, 7, 9])
def test_first_images_continue_in_the_next_splits(count: int) -> None:
    splits = [Split(IMAGES[rows], LABELS[rows], NAMES) for rows in (slice(0, 3), slice(3, 5), slice(5, 7))]
    first = first_images(splits, count)
    np.testing.assert_array_equal(first.images, IMAGES[:7][:count])
    np.testing.assert_array_equal(first.known_labels, LABELS[:7][:count])
    assert first.class_names.tolist() == NAMES.tolist()


@pytest.mark.parametrize("splits", [[UNLABELLED, UNLABELLED], [LABELLED, UNLABELLED]], ids=["none", "only some"])
def test_first_images_have_no_labels_unless_all_splits_have(splits: list[Split]) -> None:
    first = first_images(splits, 30)
    assert len(first.images) == 30
    assert first.labels is None


@pytest.mark.parametrize("fit", ["pad", "crop"])
@pytest.mark.parametrize("size", [shards.MAX_BYTES, 1000], ids=["one file", "shards"])
def test_how_images_were_fitted_is_kept(fit: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_BYTES", size)
    save_split(tmp_path / "train.npz", *LABELLED._replace(fit=fit))
    split = load_split(tmp_path / "train.npz")
    assert split.fit == split.take(slice(1)).fit == first_images([split], 2).fit == fit
