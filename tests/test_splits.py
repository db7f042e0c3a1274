"""The prepared splits and their files."""

import io
import time
from pathlib import Path

import numpy as np
import pytest

from vae.errors import InputError
from vae.splits import Split, first_images, load_arrays, load_split, save_arrays, save_split

COUNTS = np.array([10, 20, 30, 43])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4, dtype=np.uint8), COUNTS))
CLASS_NAMES = tuple("0123456789")


def test_a_split_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype("float32")
    saved = Split(images, np.arange(20, dtype=np.uint8) % 10, np.array(list("0123456789")))
    save_split(tmp_path / "prepared/train.npz", saved)
    for loaded, array in zip(load_split(tmp_path / "prepared/train.npz"), saved, strict=True):
        np.testing.assert_array_equal(loaded, array, strict=True)


@pytest.mark.parametrize("count", [2, 3, 5, 7, 9])
def test_first_images_go_on_into_the_next_splits(count: int) -> None:
    values = np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1)
    parts = [
        Split(values[rows], values[rows, 0, 0, 0].astype(np.uint8), np.array(["a"]))
        for rows in (slice(0, 3), slice(3, 5), slice(5, 7))
    ]
    images, labels, class_names = first_images(parts, count)
    np.testing.assert_array_equal(images, values[:count])
    assert labels.tolist() == list(range(min(count, 7)))
    assert class_names.tolist() == ["a"]


def test_equal_arrays_give_equal_files_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_arrays(tmp_path / "now.npz", x=np.arange(3))
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)  # in 2033
    save_arrays(tmp_path / "later.npz", x=np.arange(3))
    assert (tmp_path / "now.npz").read_bytes() == (tmp_path / "later.npz").read_bytes()


def test_arrays_are_loaded_by_name(tmp_path: Path) -> None:
    save_arrays(tmp_path / "file.npz", x=np.arange(3), y=np.arange(4), z=np.arange(5))
    z, x = load_arrays(tmp_path / "file.npz", "z", "x")
    assert (len(z), len(x)) == (5, 3)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        load_arrays(tmp_path / "file.npz", "x")
    assert str(refused.value) == f"{tmp_path / 'file.npz'} is missing; `dvc repro` makes it."


def test_a_missing_array_is_refused(tmp_path: Path) -> None:
    save_arrays(tmp_path / "file.npz", x=np.arange(3))
    with pytest.raises(InputError) as refused:
        load_arrays(tmp_path / "file.npz", "x", "y")
    assert str(refused.value) == f"{tmp_path / 'file.npz'} has no array 'y'."


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "file.npz", x=np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"is not a readable \.npz file: Object arrays cannot be loaded"):
        load_arrays(tmp_path / "file.npz", "x")


BUFFER = io.BytesIO()
np.savez(BUFFER, x=np.arange(3))
NPZ = BUFFER.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not an archive", id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(NPZ[:-9], id="cut"),
        pytest.param(NPZ.replace(np.arange(3).tobytes(), np.arange(1, 4).tobytes()), id="another value"),
        pytest.param(NPZ[NPZ.index(b"\x93NUMPY") : NPZ.index(b"PK\x01\x02")], id="npy"),
    ],
)
def test_any_other_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"file\.npz is not a readable \.npz file"):
        load_arrays(tmp_path / "file.npz", "x")
