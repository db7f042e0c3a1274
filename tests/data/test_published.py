"""Published files that the user or git put into a folder: used if they are right, refused and left alone if not."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from mirror import encode, sha256
from vae.data.formats.dataset import File
from vae.data.published import find
from vae.errors import InputError

ZIPPED, PLAIN = "train-labels-idx1-ubyte.gz", "train-labels-idx1-ubyte"
ARCHIVE = encode(np.array([5, 0, 4], np.uint8))
CONTENTS = gzip.decompress(ARCHIVE)
OWN = encode(np.array([7, 2], np.uint8))
DIFFERENT = r"its SHA-256 \(contents\) is \w{16}…, not \w{16}…"
ADVICE = "remove it if you want the published file; to train on your own images, see docs/your-images.md."


def found(folder: Path, hashed: str = "contents") -> File | None:
    return find(folder, ZIPPED, sha256(ARCHIVE, hashed), hashed)


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert found(tmp_path) is None
    assert found(tmp_path / "nothing") is None


RIGHT = {
    "as published": ({ZIPPED: ARCHIVE}, ZIPPED),
    "compressed in another way": ({ZIPPED: gzip.compress(CONTENTS, compresslevel=0)}, ZIPPED),
    "in two members": ({ZIPPED: gzip.compress(CONTENTS[:5]) + gzip.compress(CONTENTS[5:])}, ZIPPED),
    "unpacked": ({PLAIN: CONTENTS}, PLAIN),
    "unpacked, with its name": ({ZIPPED: CONTENTS}, ZIPPED),
    "compressed, without its suffix": ({PLAIN: ARCHIVE}, PLAIN),
    "unpacked to another name": ({"train-labels.idx1-ubyte": CONTENTS}, "train-labels.idx1-ubyte"),
    "unpacked into a folder": ({f"{PLAIN}/{PLAIN}": CONTENTS}, f"{PLAIN}/{PLAIN}"),
    "next to a damaged one": ({ZIPPED: ARCHIVE[:-5], PLAIN: CONTENTS}, PLAIN),
    "next to another": ({ZIPPED: ARCHIVE, PLAIN: b"own"}, ZIPPED),
}


@pytest.mark.parametrize(("files", "taken"), RIGHT.values(), ids=RIGHT)
def test_a_file_with_the_right_contents_is_taken(tmp_path: Path, files: dict[str, bytes], taken: str) -> None:
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert found(tmp_path) == File(tmp_path / taken, CONTENTS)


def test_an_archive_whose_checksum_is_known_is_taken(tmp_path: Path) -> None:
    (tmp_path / ZIPPED).write_bytes(ARCHIVE)
    assert found(tmp_path, "archive") == File(tmp_path / ZIPPED, CONTENTS)


WRONG = {
    "own images": (ZIPPED, OWN, DIFFERENT),
    "own images, unpacked": (PLAIN, gzip.decompress(OWN), DIFFERENT),
    "empty": (ZIPPED, b"", "it is empty"),
    "truncated": (ZIPPED, ARCHIVE[:-3], r"it is not a whole gzip file \(.+\)"),
    "damaged": (ZIPPED, ARCHIVE[:12] + b"\xff" + ARCHIVE[13:], r"it is not a whole gzip file \(.+\)"),
    "followed by other bytes": (ZIPPED, ARCHIVE + b"others", r"it is not a whole gzip file \(.+\)"),
}


@pytest.mark.parametrize(("name", "data", "reason"), WRONG.values(), ids=WRONG)
def test_another_file_is_refused_and_stays(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=rf"^{tmp_path / name} is not the published file \({reason}\), so it stays "):
        found(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == data


def test_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ZIPPED).write_bytes(b"")
    with pytest.raises(InputError) as refused:
        found(tmp_path)
    path = tmp_path / ZIPPED
    assert str(refused.value) == f"{path} is not the published file (it is empty), so it stays untouched; {ADVICE}"


def test_two_wrong_files_are_both_named(tmp_path: Path) -> None:
    (tmp_path / ZIPPED).write_bytes(OWN)
    (tmp_path / PLAIN).write_bytes(b"")
    with pytest.raises(InputError, match=f"{ZIPPED} is not .* and .*{PLAIN} is not .*, so they stay .* remove them "):
        found(tmp_path)


def test_unpacked_contents_whose_checksum_is_not_known_are_refused(tmp_path: Path) -> None:
    (tmp_path / PLAIN).write_bytes(CONTENTS)
    with pytest.raises(InputError, match=r"cannot be verified: only the SHA-256 of the \.gz file is known\)"):
        found(tmp_path, "archive")


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / ZIPPED).symlink_to("/disk/labels.gz")
    with pytest.raises(InputError, match=r"\(it is a link to /disk/labels\.gz, which does not exist\)"):
        found(tmp_path)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ZIPPED).mkdir()
    with pytest.raises(InputError, match=r"\(it cannot be read: Is a directory\)"):
        found(tmp_path)
