"""The prepared splits and their files."""

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


def refusal(path: Path, load: Callable[[Path], object]) -> str:
    """What is wrong with the file, without what all such messages have."""
    with pytest.raises(InputError) as refused:
        load(path)
    message, end = str(refused.value), "; `dvc repro` makes it anew."
    assert message.startswith(f"{path}: ")
    assert message.endswith(end)
    assert message.isprintable()
    return message[len(f"{path}: ") : -len(end)]


def load_x(path: Path) -> object:
    return load_arrays(path, "x")


def test_a_missing_array_is_refused(tmp_path: Path) -> None:
    save_arrays(tmp_path / "file.npz", y=np.arange(3))
    assert refusal(tmp_path / "file.npz", load_x) == "there is no array 'x' in it"


class Payload:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_pickled_objects_are_refused_and_never_loaded(tmp_path: Path) -> None:
    pwned = tmp_path / "pwned"
    np.savez(tmp_path / "file.npz", x=np.array([Payload(pwned)], object), allow_pickle=True)
    reason = "it is not a readable .npz file (Object arrays cannot be loaded when allow_pickle=False)"
    assert refusal(tmp_path / "file.npz", load_x) == reason
    assert not pwned.exists()
    np.load(tmp_path / "file.npz", allow_pickle=True)["x"]
    assert pwned.exists()  # so the payload would have worked


def test_a_pickle_in_the_place_of_an_archive_is_refused_and_never_loaded(tmp_path: Path) -> None:
    pwned = tmp_path / "pwned"
    (tmp_path / "file.npz").write_bytes(pickle.dumps(Payload(pwned)))
    assert refusal(tmp_path / "file.npz", load_x) == "it is not a readable .npz file (File is not a zip file)"
    assert not pwned.exists()


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((0, 2), np.float32), "array 'x' is empty"),
        (np.array([1, np.nan, 2], np.float32), "array 'x' holds NaN or infinity, but must hold finite numbers"),
        (np.array([[1], [-np.inf]]), "array 'x' holds NaN or infinity, but must hold finite numbers"),
    ],
)
def test_an_array_that_no_stage_writes_is_refused(array: NDArray[Any], reason: str, tmp_path: Path) -> None:
    save_arrays(tmp_path / "file.npz", x=array)
    assert refusal(tmp_path / "file.npz", load_x) == reason


def npz(save: Callable[..., None] = np.savez, **arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def forged(member: bytes) -> bytes:
    """An archive whose checksums are right, and whose `x.npy` has these bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.npy", member)
    return buffer.getvalue()


def with_shape(shape: str) -> bytes:
    """A file in NumPy's format with 8 bytes of values, but that shape in its header."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8)


NPZ = npz(x=np.arange(3))
UNREADABLE = "it is not a readable .npz file ({})"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"not an archive", UNREADABLE.format("File is not a zip file"), id="text"),
        pytest.param(b"", UNREADABLE.format("File is not a zip file"), id="empty"),
        pytest.param(NPZ[:-9], UNREADABLE.format("File is not a zip file"), id="cut"),
        pytest.param(
            NPZ.replace(np.arange(3).tobytes(), np.arange(1, 4).tobytes()),
            UNREADABLE.format("Bad CRC-32 for file 'x.npy'"),
            id="another value",
        ),
        pytest.param(
            NPZ[NPZ.index(b"\x93NUMPY") : NPZ.index(b"PK\x01\x02")],
            UNREADABLE.format("File is not a zip file"),
            id="npy",
        ),
        pytest.param(forged(b"text"), "'x' in it is no array", id="text in an archive"),
        pytest.param(
            forged(with_shape("(3,)")),
            UNREADABLE.format("EOF: reading array data, expected 12 bytes got 8"),
            id="fewer values than announced",
        ),
        pytest.param(
            forged(with_shape(f"({10**14},)")),
            UNREADABLE.format(f"Unable to allocate 364. TiB for an array with shape ({10**14},) and data type float32"),
            id="more values than memory",
        ),
    ],
)
def test_any_other_file_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(content)
    assert refusal(tmp_path / "file.npz", load_x) == reason


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
        return load_arrays(path, "x")[0]
    except InputError as refused:
        return str(refused)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path, load_x)


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, z_mean=np.zeros((1000, 1000)))
    assert path.stat().st_size < 20_000
    load_arrays(path, "z_mean")
    monkeypatch.setattr("vae.splits.MAX_BYTES", 2**22)
    with pytest.raises(InputError, match=r"arrays\.npz: it unpacks to more than 4 MB; `dvc repro` makes it anew\.$"):
        load_arrays(path, "z_mean")
