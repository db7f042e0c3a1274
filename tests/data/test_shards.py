"""Splits that are too large for one file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data import shards
from vae.data.shards import StoredImages, save_split, shard_paths
from vae.data.splits import first_images, load_split, load_splits, sample
from vae.errors import InputError
from vae.io.arrays import save_arrays

LEVELS = np.random.default_rng(0).integers(256, size=(20, 8, 6, 3), dtype=np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 4
NAMES = np.array(["cat", "dog", "é", "12"])
SIZE = 8 * 6 * 3


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file have room for seven images of levels, or a single one of float32."""
    monkeypatch.setattr(shards, "MAX_BYTES", 7 * SIZE)


@pytest.mark.parametrize("labels", [LABELS, None], ids=["labels", "no labels"])
@pytest.mark.parametrize("images", [LEVELS, LEVELS.astype(np.float32) / 300], ids=["levels", "floats"])
def test_a_large_split_reads_the_same_from_shards_as_from_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: NDArray[Any], labels: NDArray[np.uint8] | None
) -> None:
    save_split(tmp_path / "large.npz", images, labels, NAMES)
    monkeypatch.setattr(shards, "MAX_BYTES", 10**6)
    save_split(tmp_path / "small.npz", images, labels, NAMES)
    large, small = (load_split(tmp_path / f"{name}.npz") for name in ("large", "small"))
    assert isinstance(large.images, StoredImages)
    assert isinstance(small.images, np.ndarray)
    assert (large.images.shape, large.images.dtype) == (small.images.shape, small.images.dtype)
    for rows in (slice(None), slice(5, 9), np.array([[19, 0], [7, 7]])):
        np.testing.assert_array_equal(large.images[rows], small.images[rows], strict=True)
    np.testing.assert_array_equal(large.labels, small.labels)
    assert large.class_names.tolist() == NAMES.tolist()


def test_no_file_has_more_images_than_there_is_room_for_and_levels_stay_levels(tmp_path: Path) -> None:
    save_split(tmp_path / "train.npz", LEVELS, LABELS, NAMES)
    paths = shard_paths(tmp_path / "train.npz")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "train.npz",
        "train.shards/2.npz",
        "train.shards/3.npz",
    ]
    assert (tmp_path / "train.shards/files.txt").read_text().split() == ["../train.npz", "2.npz", "3.npz"]
    files = [np.load(path) for path in paths]
    assert [len(file["images"]) for file in files] == [7, 7, 6]
    np.testing.assert_array_equal(np.concatenate([file["images"] for file in files]), LEVELS, strict=True)
    np.testing.assert_array_equal(np.concatenate([file["labels"] for file in files]), LABELS, strict=True)


def test_a_smaller_split_leaves_no_shards_of_the_former_one(tmp_path: Path) -> None:
    for images in (LEVELS, LEVELS[:8], LEVELS[:1]):
        save_split(tmp_path / "train.npz", images, LABELS[: len(images)], NAMES)
        np.testing.assert_array_equal(load_split(tmp_path / "train.npz").images[:] * 255, images)
    assert [path.name for path in (tmp_path / "train.shards").iterdir()] == ["files.txt"]


CHANGES: list[tuple[dict[str, Any], str]] = [
    (
        {"images": LEVELS[7:14] / 255},
        "array 'images' is float64 with 4 dimensions, but must be float32 or uint8 with 4",
    ),
    ({"labels": LABELS[:3]}, "it contains 3 labels for 7 images"),
    ({"images": LEVELS[7:14, :7]}, "its images, labels or classes do not match {}"),
    ({"images": LEVELS[7:14].astype(np.float32)}, "its images, labels or classes do not match {}"),
    ({"labels": None}, "its images, labels or classes do not match {}"),
    ({"class_names": NAMES[::-1]}, "its images, labels or classes do not match {}"),
]


@pytest.mark.parametrize(("changes", "reason"), CHANGES)
def test_a_shard_that_does_not_belong_to_the_others_is_refused(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    first, shard = tmp_path / "train.npz", tmp_path / "train.shards/2.npz"
    save_split(first, LEVELS, LABELS, NAMES)
    arrays = {"images": LEVELS[7:14], "labels": LABELS[7:14], "class_names": NAMES} | changes
    save_arrays(shard, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(InputError) as refused:
        load_split(first)
    assert str(refused.value) == f"{shard}: {reason.format(first)}; `dvc repro` makes it again."


def test_a_missing_shard_is_reported(tmp_path: Path) -> None:
    save_split(tmp_path / "train.npz", LEVELS, LABELS, NAMES)
    (tmp_path / "train.shards/2.npz").unlink()
    with pytest.raises(InputError, match=r"^\S*train.npz: its shard \S*/2.npz is missing; `dvc repro` makes it"):
        load_split(tmp_path / "train.npz")


@pytest.mark.parametrize("value", [np.nan, 1.5, -0.1])
def test_stored_values_out_of_range_are_refused_when_they_are_read(tmp_path: Path, value: float) -> None:
    images = LEVELS.astype(np.float32) / np.float32(255)
    images[12, 3, 3, 1] = value
    save_split(tmp_path / "train.npz", images, LABELS, NAMES)
    split = load_split(tmp_path / "train.npz")
    assert split.images[:12].max() <= 1
    with pytest.raises(InputError, match="but must be within 0 and 1"):
        split.images[10:14]


def test_parts_of_a_large_split_are_in_memory_with_their_labels(tmp_path: Path) -> None:
    for name, rows in {"train": slice(0, 14), "test": slice(14, 20)}.items():
        save_split(tmp_path / f"{name}.npz", LEVELS[rows], LABELS[rows], NAMES)
    train, test = load_splits(tmp_path, ("train", "test"))
    first = first_images([test, train], 9)
    np.testing.assert_array_equal(first.images[:], np.concatenate([LEVELS[14:], LEVELS[:3]]) / np.float32(255))
    np.testing.assert_array_equal(first.known_labels, np.concatenate([LABELS[14:], LABELS[:3]]))
    drawn = sample(train, 9, seed=3)
    assert isinstance(drawn.images, np.ndarray)
    assert len(drawn.images) == 9
    equal = (drawn.images[:, np.newaxis] == LEVELS[:14] / np.float32(255)).all(axis=(2, 3, 4))
    found = equal.argmax(axis=1)
    assert (np.diff(found) > 0).all()
    np.testing.assert_array_equal(drawn.known_labels, LABELS[found])
    assert not np.array_equal(sample(train, 9, seed=4).images[:], drawn.images)
    np.testing.assert_array_equal(sample(train, 14, seed=3).images[:], train.images[:])
