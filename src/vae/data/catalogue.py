"""The catalogue of data sets: the mirrors of each, and the checksums of its files."""

from pathlib import Path
from typing import NamedTuple

from vae.data.download import fetch
from vae.data.formats import FORMATS
from vae.data.formats.dataset import DataSet
from vae.errors import InputError

DIGITS = tuple("0123456789")


class Source(NamedTuple):
    """A published data set."""

    format: str
    """A key of `vae.data.formats.FORMATS`."""
    mirrors: tuple[str, ...]
    """Base addresses, each with a slash at the end, tried in order."""
    sha256: dict[str, str]
    """The checksum of each gzip file, by the file's name."""
    class_names: tuple[str, ...]
    hashed: str = "contents"
    """What the checksums verify: the unpacked `contents`, or the `archive`, which is the gzip file itself."""


SOURCES = {
    "mnist": Source(
        format="idx",
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
        format="idx",
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
    # There is no mirror besides the publisher's, and TensorFlow Datasets lists only the checksums of the .gz files.
    "kmnist": Source(
        format="idx",
        mirrors=("https://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
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
    """Read a data set from its folder, after downloading the files that are missing or not as published.

    Raises:
        InputError: no mirror delivers a file, a file with the right checksum is not in the format of the data set, or
            the training and test images differ in shape.
        OSError: a file cannot be read or written.
    """
    for name, checksum in source.sha256.items():
        fetch(folder / name, source.mirrors, checksum, source.hashed)
    data = FORMATS[source.format](folder)
    train, test = (part.images.shape[1:] for part in (data.train, data.test))
    if train != test:
        raise InputError(f"{folder} contains training images of shape {train} but test images of shape {test}.")
    return data._replace(class_names=source.class_names)
