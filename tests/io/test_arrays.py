"""Arrays in `.npz` files: any other file is refused in one line, and nothing is unpickled."""

import io
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.errors import InputError
from vae.io.arrays import load_arrays, read_arrays, save_arrays


def load_x(path: Path) -> NDArray[Any]:
    return load_arrays(path, "x")[0]


def refusal(path: Path, load: Callable[[Path], object] = load_x) -> str:
    """Return what is wrong with the file, without the beginning and the end that all such messages have."""
    with pytest.raises(InputError) as refused:
        load(path)
    message, end = str(refused.value), "; `dvc repro` makes it again."
    assert message.startswith(f"{path}: ")
    assert message.endswith(end)
    assert message.isprintable()
    return message[len(f"{path}: ") : -len(end)]


def test_arrays_are_loaded_by_name(tmp_path: Path) -> None:
    saved = {"x": np.arange(3), "y": np.array(["é"]), "z": np.full((2, 2), 0.5, np.float32)}
    save_arrays(tmp_path / "file.npz", **saved)
    for loaded, name in zip(load_arrays(tmp_path / "file.npz", "z", "x", "y"), "zxy", strict=True):
        np.testing.assert_array_equal(loaded, saved[name], strict=True)


def test_an_optional_array_may_be_missing(tmp_path: Path) -> None:
    save_arrays(tmp_path / "file.npz", x=np.arange(3), y=np.arange(4))
    assert read_arrays(tmp_path / "file.npz", "x", optional=("y", "z")).keys() == {"x", "y"}


def test_equal_arrays_give_equal_files_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_arrays(tmp_path / "now.npz", x=np.arange(3))
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)  # in 2033
    save_arrays(tmp_path / "later.npz", x=np.arange(3))
    assert (tmp_path / "now.npz").read_bytes() == (tmp_path / "later.npz").read_bytes()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        load_x(tmp_path / "file.npz")
    assert str(refused.value) == f"{tmp_path / 'file.npz'} is missing; `dvc repro` makes it."


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)


def test_a_missing_array_is_refused(tmp_path: Path) -> None:
    save_arrays(tmp_path / "file.npz", y=np.arange(3))
    assert refusal(tmp_path / "file.npz") == "array 'x' is missing"


FINITE = "array 'x' contains NaN or infinity, but must contain finite numbers"
SHAPE = "but must be floating-point of shape (3,)"


@pytest.mark.parametrize(
    ("array", "shape", "reason"),
    [
        (np.zeros((0, 2), np.float32), None, "array 'x' is empty"),
        (np.array([1, np.nan, 2], np.float32), None, FINITE),
        (np.array([[1], [-np.inf]]), None, FINITE),
        (np.array([1, np.inf, 2]), (3,), FINITE),
        (np.zeros(4), (3,), f"array 'x' is float64 of shape (4,), {SHAPE}"),
        (np.zeros(3, int), (3,), f"array 'x' is int64 of shape (3,), {SHAPE}"),
        (np.array(["a", "b", "c"]), (3,), f"array 'x' is <U1 of shape (3,), {SHAPE}"),
    ],
)
def test_an_array_that_no_stage_writes_is_refused(
    array: NDArray[Any], shape: tuple[int, ...] | None, reason: str, tmp_path: Path
) -> None:
    save_arrays(tmp_path / "file.npz", x=array)
    assert refusal(tmp_path / "file.npz", lambda path: load_arrays(path, "x", shape=shape)) == reason


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickled_array_is_refused_and_not_loaded(tmp_path: Path) -> None:
    unpickled = tmp_path / "unpickled"
    np.savez(tmp_path / "file.npz", x=np.array([Payload(unpickled)], object), allow_pickle=True)
    assert refusal(tmp_path / "file.npz").startswith("it is not a readable .npz file (")
    assert not unpickled.exists()
    np.load(tmp_path / "file.npz", allow_pickle=True)["x"]
    assert unpickled.exists()  # so the payload works


def test_a_pickle_in_place_of_an_archive_is_refused_and_not_loaded(tmp_path: Path) -> None:
    unpickled = tmp_path / "unpickled"
    (tmp_path / "file.npz").write_bytes(pickle.dumps(Payload(unpickled)))
    assert refusal(tmp_path / "file.npz").startswith("it is not a readable .npz file (")
    assert not unpickled.exists()


def npz(save: Callable[..., None] = np.savez, **arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def forged(member: bytes) -> bytes:
    """Return an archive with correct checksums whose `x.npy` has these bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.npy", member)
    return buffer.getvalue()


def with_shape(shape: str) -> bytes:
    """Return a `.npy` file with 8 bytes of values and that shape in its header."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8)


NPZ = npz(x=np.arange(3))
DAMAGED = {
    "text": b"not an archive",
    "empty": b"",
    "cut": NPZ[:-9],
    "another value": NPZ.replace(np.arange(3).tobytes(), np.arange(1, 4).tobytes()),
    "npy": NPZ[NPZ.index(b"\x93NUMPY") : NPZ.index(b"PK\x01\x02")],
    "fewer values than in the header": forged(with_shape("(3,)")),
    "more values than memory": forged(with_shape(f"({10**14},)")),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(content)
    assert refusal(tmp_path / "file.npz").startswith("it is not a readable .npz file (")


def test_an_entry_that_is_not_an_array_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(forged(b"text"))
    assert refusal(tmp_path / "file.npz") == "'x' in it is not an array"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_with_any_byte_changed_is_refused_or_loads_the_same(save: Callable[..., None], tmp_path: Path) -> None:
    path, array = tmp_path / "file.npz", np.arange(5, dtype=np.float32)
    content = npz(save, x=array)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        result = array_or_refusal(path)
        if isinstance(result, str):
            assert result.isprintable()
        else:
            np.testing.assert_array_equal(result, array, strict=True)


def array_or_refusal(path: Path) -> NDArray[Any] | str:
    try:
        return load_x(path)
    except InputError as refused:
        return str(refused)


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.npz"
    np.savez_compressed(path, x=np.zeros((1000, 1000)))
    assert path.stat().st_size < 20_000
    load_x(path)
    monkeypatch.setattr("vae.io.arrays.MAX_BYTES", 2**22)
    assert refusal(path) == "it unpacks to more than 4 MB"
