"""Arrays whose rows stay in files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.errors import InputError
from vae.io.stored import concatenated, stored_array

FIRST = np.random.default_rng(0).integers(256, size=(7, 3, 2), dtype=np.uint8)
SECOND = np.random.default_rng(1).integers(256, size=(4, 3, 2), dtype=np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "<U3"])
@pytest.mark.parametrize(
    "rows",
    [slice(None), slice(2, 5), slice(5, 100), slice(3, 3), [6, 0, 0, -1], [[1, 2], [3, 3]], 4, []],
    ids=str,
)
def test_rows_are_read_as_numpy_indexes_an_array(tmp_path: Path, dtype: str, rows: Any) -> None:
    array = FIRST.astype(dtype)
    np.savez(tmp_path / "some.npz", before=SECOND, images=array, after=SECOND)
    stored = stored_array(tmp_path / "some.npz", "images")
    index: Any = rows if isinstance(rows, slice) else np.array(rows, np.int64)
    np.testing.assert_array_equal(stored[index], array[index], strict=True)
    assert (stored.shape, stored.ndim, len(stored)) == (array.shape, 3, 7)
    if not isinstance(index, slice) and index.ndim == 1:
        np.testing.assert_array_equal(stored.take(index)[:], array[index], strict=True)


def test_arrays_in_several_files_are_read_as_one(tmp_path: Path) -> None:
    for name, array in {"a": FIRST, "b": SECOND}.items():
        np.savez(tmp_path / f"{name}.npz", images=array)
    both = concatenated([stored_array(tmp_path / f"{name}.npz", "images") for name in "aba"])
    whole = np.concatenate([FIRST, SECOND, FIRST])
    order = np.random.default_rng(2).permutation(len(whole))
    np.testing.assert_array_equal(both[order], whole[order], strict=True)
    np.testing.assert_array_equal(
        concatenated([both, both.take(order)])[12:30], np.concatenate([whole, whole[order]])[12:30]
    )


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def compressed(path: Path) -> None:
    np.savez_compressed(path, images=FIRST)


def by_column(path: Path) -> None:
    np.savez(path, images=np.asfortranarray(FIRST))


def of_objects(path: Path) -> None:
    np.savez(path, allow_pickle=True, images=np.array([{}, {}]))


def removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "is not a readable .npz file (File is not a zip file)"),
        (compressed, "array 'images' is not stored row by row"),
        (by_column, "array 'images' is not stored row by row"),
        (of_objects, "array 'images' is not stored row by row"),
        (removed, "is missing; `dvc repro` makes it."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, damage: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / "some.npz"
    np.savez(path, images=FIRST)
    damage(path)
    with pytest.raises(InputError) as refused:
        stored_array(path, "images")
    assert reason in str(refused.value)
    assert str(refused.value).startswith(str(path))


def test_a_file_that_becomes_shorter_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    np.savez(path, images=FIRST)
    stored = stored_array(path, "images")
    read: NDArray[np.uint8] = stored[:1]
    assert read.any()
    with path.open("rb+") as file:
        file.truncate(150)
    with pytest.raises(InputError, match=f"^{path} became shorter while it was read; run this stage again\\.$"):
        stored[:]
