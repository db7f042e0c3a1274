"""The catalogue of data sets: the mirrors of each, and the checksums of its files."""

import sys
from pathlib import Path
from typing import NamedTuple

from vae.data.cache import VARIABLE, cache_folder
from vae.data.download import fetch
from vae.data.failures import fault_of_bundle
from vae.data.formats.dataset import DataSet, File
from vae.data.formats.idx import read_idx
from vae.data.published import find
from vae.errors import InputError

DIGITS = tuple("0123456789")


class Source(NamedTuple):
    """A published data set of four IDX files."""

    mirrors: tuple[str, ...]
    """Base addresses, each with a slash at the end, tried in order."""
    sha256: dict[str, str]
    """The checksum of each gzip file, by the file's name."""
    class_names: tuple[str, ...]
    hashed: str = "contents"
    """What the checksums verify: the unpacked `contents`, or the `archive`, which is the gzip file itself."""


SOURCES = {
    "mnist": Source(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        class_names=DIGITS,
    ),
    "fashion_mnist": Source(
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        class_names=(
            *("T-shirt", "trousers", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
    ),
    # TensorFlow Datasets and others list only the checksums of the .gz files. Swift for TensorFlow uses the second
    # mirror. The publisher's mirror has been unreachable for months at a time.
    "kmnist": Source(
        mirrors=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/KMNIST/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        hashed="archive",
    ),
}


def load(source: Source, folder: Path) -> DataSet:
    """Read a data set, after downloading what is neither in its folder nor in the cache.

    Args:
        source: the data set.
        folder: its folder, with the files that the user or git put there. It need not exist, and is only read. The
            folder of its downloads has the same name, in the `cache_folder`.

    Raises:
        InputError: a file in the folder is not the published one, no mirror delivers a file, the cache cannot be used,
            a file with the right checksum is not in the format of the data set, or the training and test images differ
            in shape.
    """
    found = {name: find(folder, name, sha256, source.hashed) for name, sha256 in source.sha256.items()}
    missing = [name for name, file in found.items() if file is None]
    downloads = _cached(source, missing, folder.name) if missing else {}
    data = read_idx({name: file or downloads[name] for name, file in found.items()})
    train, test = (part.images.shape[1:] for part in data.parts)
    if train != test:
        raise InputError(f"{folder} contains training images of shape {train} but test images of shape {test}.")
    return data._replace(class_names=source.class_names)


def _cached(source: Source, names: list[str], folder: str) -> dict[str, File]:
    """Return the files of these names from the cache, after downloading those that are not there or are damaged."""
    cache = cache_folder() / folder
    try:
        if not all((cache / name).exists() for name in names):
            if fault := fault_of_bundle():  # of every mirror
                raise InputError(f"{folder} cannot be downloaded: {fault}.")
            print(f"Downloads go to {cache}; {VARIABLE} can name another cache.", file=sys.stderr)
        return {
            name: File(cache / name, fetch(cache / name, source.mirrors, source.sha256[name], source.hashed))
            for name in names
        }
    except OSError as error:
        raise InputError(
            f"{error.filename or cache}: {error.strerror or error}; {VARIABLE} can name another folder for downloads."
        ) from None
