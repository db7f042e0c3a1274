"""The catalogue of data sets, and the loading of a data set."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from mirror import Reply, Server, archives, encode, sha256
from vae.data.catalogue import SOURCES, Source, load
from vae.data.formats.dataset import File, Part
from vae.data.formats.idx import read_idx
from vae.errors import InputError

TRAIN = Part(np.arange(3 * 6).reshape(3, 3, 2).astype(np.uint8), np.array([5, 0, 4], np.uint8))
TEST = Part(255 - TRAIN.images[:2], np.array([7, 2], np.uint8))


def source(*mirrors: str, train: Part = TRAIN, test: Part = TEST) -> Source:
    """Return a data set with the checksums of these files."""
    checksums = {name: sha256(archive) for name, archive in archives(train, test).items()}
    return Source(mirrors, checksums, class_names=tuple("abcdefgh"))


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in the folder, hidden or not."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, train: Part, test: Part) -> None:
    for name, archive in archives(train, test).items():
        (folder / name).write_bytes(archive)


def test_a_data_set_is_downloaded_to_the_cache_and_loaded(
    server: Server, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.replies = {name: [Reply(archive)] for name, archive in archives(TRAIN, TEST).items()}
    data = load(source(server.mirror), tmp_path / "raw/small")
    for loaded, published in zip(data.parts, (TRAIN, TEST), strict=True):
        for array, expected in zip(loaded, published, strict=True):
            np.testing.assert_array_equal(array, expected, strict=True)
    assert data.class_names == tuple("abcdefgh")
    assert tree(tmp_path) == {f"cache/small/{name}": archive for name, archive in archives(TRAIN, TEST).items()}
    assert capsys.readouterr().err.startswith(f"Downloads go to {cache}/small; VAE_CACHE_DIR can name another cache.")
    again = load(source("https://mirror.invalid/"), tmp_path / "raw/small")  # without a network
    np.testing.assert_array_equal(again.train.images, TRAIN.images)
    assert capsys.readouterr().err == ""


MISFITS = {
    "count": (
        TRAIN._replace(labels=np.zeros(2, np.uint8)),
        TEST,
        "/train-images-idx3-ubyte.gz contains 3 images, but {0}/train-labels-idx1-ubyte.gz 2 labels.",
    ),
    "shape": (
        TRAIN,
        TEST._replace(images=TEST.images[:][:, :, :1]),
        " contains training images of shape (3, 2) but test images of shape (3, 1).",
    ),
}


@pytest.mark.parametrize(("train", "test", "message"), MISFITS.values(), ids=MISFITS)
def test_files_that_do_not_fit_together_are_refused(tmp_path: Path, train: Part, test: Part, message: str) -> None:
    write(tmp_path, train, test)
    with pytest.raises(InputError) as refused:
        load(source(train=train, test=test), tmp_path)
    assert str(refused.value) == f"{tmp_path}{message.format(tmp_path)}"


def test_a_file_with_the_right_checksum_in_another_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path, TRAIN, TEST)
    name = "t10k-images-idx3-ubyte.gz"
    (tmp_path / name).write_bytes(gzip.compress(b"another format"))
    checksums = source().sha256 | {name: sha256((tmp_path / name).read_bytes())}
    with pytest.raises(InputError, match=f"^{tmp_path / name} has 14 bytes, too few for an IDX header of 16"):
        load(source()._replace(sha256=checksums), tmp_path)


def test_a_data_set_whose_classes_are_not_listed_is_named_by_numbers(tmp_path: Path) -> None:
    files = {name: File(tmp_path / name, gzip.decompress(data)) for name, data in archives(TRAIN, TEST).items()}
    assert read_idx(files).class_names == tuple("012345")


def test_the_committed_mnist_is_as_published(root: Path) -> None:
    data = load(SOURCES["mnist"]._replace(mirrors=()), root / "data/raw/mnist")
    train, test = data.parts
    assert [part.images.shape for part in (train, test)] == [(60_000, 28, 28), (10_000, 28, 28)]
    # The counts of the ten digits, as in the literature.
    assert train.labels is not None
    assert test.labels is not None
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.images[:].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert data.class_names == tuple("0123456789")


def test_the_files_of_the_user_are_refused_before_anything_is_downloaded_or_written(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "small"
    raw.mkdir()
    write(raw, TRAIN, TEST)
    (raw / "train-images-idx3-ubyte.gz").unlink()  # to be downloaded
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(encode(np.array([1, 2], np.uint8)))
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"^.*/small/t10k-labels-idx1-ubyte.gz is not the published file "):
        load(source(server.mirror), raw)
    assert tree(tmp_path) == before
    assert server.requested == []


def test_a_folder_may_be_a_link_to_another_disk(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    write(tmp_path / "disk", TRAIN, TEST)
    (tmp_path / "small").symlink_to("disk")
    _, test = load(source(), tmp_path / "small").parts
    np.testing.assert_array_equal(test.images, TEST.images)


def test_a_damaged_file_in_the_cache_is_replaced(server: Server, cache: Path, tmp_path: Path) -> None:
    (cache / "small").mkdir(parents=True)
    write(cache / "small", TRAIN, TEST)
    name = "train-labels-idx1-ubyte.gz"
    (cache / "small" / name).write_bytes(b"")
    server.replies[name] = [Reply(archives(TRAIN, TEST)[name])]
    load(source(server.mirror), tmp_path / "small")
    assert tree(cache / "small") == archives(TRAIN, TEST)
    assert server.requested == [name]


@pytest.mark.parametrize("place", ["cache", "cache/small", "cache/small/train-images-idx3-ubyte.gz/x"])
def test_a_cache_that_cannot_be_used_is_reported_with_its_variable(
    server: Server, cache: Path, tmp_path: Path, place: str
) -> None:
    # A file in place of a folder, and a folder in place of a file.
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).touch()
    with pytest.raises(InputError) as refused:
        load(source(server.mirror), tmp_path / "small")
    reason = r"(Not a directory|File exists|Is a directory); VAE_CACHE_DIR can name another folder for downloads\."
    assert re.fullmatch(f"{cache}/small.*: {reason}", str(refused.value))
    assert server.requested == []


@pytest.mark.parametrize("published", SOURCES.values(), ids=SOURCES)
def test_each_source_is_complete(published: Source) -> None:
    assert len(set(published.mirrors)) >= 2
    assert all(re.fullmatch(r"https://[^\s?#]+/", mirror) for mirror in published.mirrors)
    assert sorted(published.sha256) == sorted(archives(TRAIN, TEST))
    assert not any({"/", "\\"} & set(name) for name in published.sha256)  # no name leads out of the folder
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in published.sha256.values())
    assert len(set(published.class_names)) == 10
    assert published.hashed in ("contents", "archive")
