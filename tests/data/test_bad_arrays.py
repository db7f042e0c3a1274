"""`.npz` and IDX files that `prepare` refuses: one error with its sentence, and nothing written."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mirror import encode
from tests.data.bad_input import FLOATS, IMAGES, LABELS, NOISE, Case, Make, changed, expect

SHAPES = "but must have (n, height, width), (n, height, width, 1) or (n, height, width, 3)."


def npz(**arrays: Any) -> Make:
    return lambda folder: np.savez(folder / "photos.npz", **arrays, allow_pickle=True)


def idx(**arrays: NDArray[Any] | bytes) -> Make:
    """Return a maker of IDX files, by `train_images` and so on; bytes are written as they are."""

    def make(folder: Path) -> None:
        (folder / "photos").mkdir()
        for name, array in arrays.items():
            prefix, kind = name.split("_")
            end = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}[kind]
            content = array if isinstance(array, bytes) else encode(array)
            (folder / f"photos/{prefix}-{end}.gz").write_bytes(content)

    return make


def twice(folder: Path) -> None:
    idx(train_images=IMAGES)(folder)
    (folder / "photos/train-images-idx3-ubyte").write_bytes(b"")


OBJECTS = "contains Python objects, which are never loaded; make it an array of numbers or strings of one length."
NPZ = {
    "text": Case(
        lambda folder: (folder / "photos.npz").write_bytes(b"images"),
        "photos.npz is not a readable .npz file (File is not a zip file).",
    ),
    "an empty file": Case(lambda folder: (folder / "photos.npz").touch(), "photos.npz is not a readable .npz file ("),
    "no images": Case(npz(pictures=IMAGES), "photos.npz contains 'pictures', but must contain 'images' or 'x_train'."),
    "no arrays": Case(npz(), "photos.npz contains no arrays, but must contain 'images' or 'x_train'."),
    "images twice": Case(
        npz(images=IMAGES, x_train=IMAGES), "photos.npz contains both 'images' and 'x_train'; one of them is needed."
    ),
    "labels without images": Case(
        npz(images=IMAGES, test_labels=LABELS), "photos.npz contains 'test_labels', but not its images."
    ),
    "flat images": Case(
        npz(images=IMAGES.reshape(9, 64)), f"photos.npz: its array 'images' has the shape (9, 64), {SHAPES}"
    ),
    "channels first": Case(
        npz(images=np.zeros((9, 3, 32, 32), np.uint8)),
        "photos.npz: its array 'images' has the shape (9, 3, 32, 32), with the channels first; np.moveaxis(images, 1, "
        "-1) moves them.",
    ),
    "four channels": Case(
        npz(images=np.zeros((9, 32, 32, 4), np.uint8)),
        f"photos.npz: its array 'images' has the shape (9, 32, 32, 4), {SHAPES[:-1]}; images[..., :3] leaves a fourth "
        "channel out.",
    ),
    "zero images": Case(npz(images=IMAGES[:0]), "photos.npz: its array 'images' is empty: its shape is (0, 8, 8)."),
    "whole numbers": Case(
        npz(images=IMAGES.astype(int)),
        "photos.npz: its array 'images' is int64, but must be uint8, bool, or floats from 0 to 1; "
        "images.astype(np.uint8) converts whole numbers from 0 to 255.",
    ),
    "NaN": Case(
        npz(images=changed(FLOATS, np.nan)),
        "photos.npz: its array 'images' has values from nan to nan, but floats must be within 0 and 1; leave out "
        "the images with NaN or infinity, or replace these values.",
    ),
    "infinity": Case(
        npz(images=changed(FLOATS, np.inf)),
        "photos.npz: its array 'images' has values from 0 to inf, but floats must be within 0 and 1; leave out "
        "the images with NaN or infinity, or replace these values.",
    ),
    "floats up to 255": Case(
        npz(images=IMAGES.astype(float)),
        "photos.npz: its array 'images' has values from 0 to 255, but floats must be within 0 and 1; divide it by the "
        "number that stands for white.",
    ),
    "negative floats": Case(
        npz(images=FLOATS * 2 - 1),
        "photos.npz: its array 'images' has values from -1 to 1, but floats must be within 0 and 1; (images + 1) / "
        "2 brings values from -1 to 1 there.",
    ),
    "pickled images": Case(npz(images=np.array([NOISE, None], object)), f"photos.npz: its array 'images' {OBJECTS}"),
    "pickled labels": Case(
        npz(images=IMAGES, labels=LABELS.astype(object)), f"photos.npz: its array 'labels' {OBJECTS}"
    ),
    "too few labels": Case(
        npz(images=IMAGES, labels=LABELS[1:]),
        "photos.npz: its array 'labels' has 8 labels, but 'images' has 9 images.",
    ),
    "one-hot labels": Case(
        npz(images=IMAGES, labels=np.eye(9)),
        "photos.npz: its array 'labels' has the shape (9, 9), but must have (n,); labels.argmax(axis=1) converts "
        "one-hot labels.",
    ),
    "labels of floats": Case(
        npz(images=IMAGES, labels=LABELS / 2),
        "photos.npz: its array 'labels' is float64, but must be whole numbers or strings.",
    ),
    "labels for one part": Case(
        npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES),
        "photos.npz contains labels for only one of its parts ('y_train').",
    ),
    "numbers in one part, names in the other": Case(
        npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS.astype(str)),
        "photos.npz: its arrays 'y_train' and 'y_test' must both be numbers, or both be strings.",
    ),
    "class names twice": Case(
        npz(images=IMAGES, labels=LABELS, class_names=["a", "b", "a"]),
        "photos.npz: its array 'class_names' contains 'a' twice.",
    ),
    "class names of numbers": Case(
        npz(images=IMAGES, labels=LABELS, class_names=[1, 2, 3]),
        "photos.npz: its array 'class_names' must be strings of the shape (classes,).",
    ),
    "too few class names": Case(
        npz(images=IMAGES, labels=LABELS, class_names=["a", "b"]),
        "photos.npz: its array 'labels' has values from 0 to 2, but 'class_names' has 2 names, so they must be within "
        "0 and 1.",
    ),
    "negative labels": Case(
        npz(images=IMAGES, labels=LABELS - 1, class_names=["a", "b", "c"]),
        "photos.npz: its array 'labels' has values from -1 to 1, but 'class_names' has 3 names, so they must be within "
        "0 and 2.",
    ),
    "a name that is not a class": Case(
        npz(images=IMAGES, labels=["a", "b", "d"] * 3, class_names=["a", "b", "c"]),
        "photos.npz: its array 'labels' contains 'd', which is not in 'class_names'.",
    ),
    "parts of two sizes": Case(
        npz(x_train=IMAGES, x_test=np.zeros((2, 9, 9), np.uint8)),
        "photos.npz has parts with images of 8x8 and 9x9 pixels; set prepare.image_size to one size.",
    ),
    "small images": Case(
        npz(images=IMAGES[:, :7]), "photos.npz has images of 7x8 pixels, but each side must be from 8 to 256; "
    ),
    "two images": Case(
        npz(images=IMAGES[:2]),
        "photos.npz contains 2 images to train with, but at least 7 images in all are needed to train, to validate "
        "and to test with.",
    ),
    "too many validation images": Case(
        npz(images=IMAGES),
        "prepare.validation_size is 5000, but must leave at least one of the 7 training images: use a share below 1, "
        "or a smaller number.",
        options={"validation_size": 5000},
    ),
    "too many test images": Case(
        npz(images=IMAGES),
        "prepare.test_size is 9, but must leave at least one of the 9 training images: use a share below 1, or a "
        "smaller number.",
        options={"test_size": 9},
    ),
}

IDX = {
    "text": Case(
        idx(train_images=b"images"),
        "photos/train-images-idx3-ubyte.gz has 6 bytes, too few for an IDX header of 16.",
    ),
    "a damaged archive": Case(
        idx(train_images=encode(IMAGES)[:-9]),
        "photos/train-images-idx3-ubyte.gz cannot be read: it is not a whole gzip file (",
    ),
    "too few values": Case(
        idx(train_images=gzip.compress(gzip.decompress(encode(IMAGES))[:-9])),
        "photos/train-images-idx3-ubyte.gz has 567 bytes of values, but its header says 9 x 8 x 8 = 576.",
    ),
    "too many values": Case(
        idx(train_images=gzip.compress(gzip.decompress(encode(IMAGES)) + bytes(9))),
        "photos/train-images-idx3-ubyte.gz has more than 576 bytes of values, but its header says 9 x 8 x 8 = 576.",
    ),
    "a header of huge images": Case(
        idx(train_images=gzip.compress(struct.pack(">4I", 2051, 9, 10**6, 10**6))),
        "photos/train-images-idx3-ubyte.gz has images of 1000000x1000000 pixels, but must have at most 67,108,864.",
    ),
    "too few labels": Case(
        idx(train_images=IMAGES, train_labels=IMAGES[0, 0]),
        "photos/train-images-idx3-ubyte.gz contains 9 images, but photos/train-labels-idx1-ubyte.gz 8 labels.",
    ),
    "labels without images": Case(
        idx(train_images=IMAGES, t10k_labels=IMAGES[0, 0]),
        "photos contains t10k-labels-idx1-ubyte, but not t10k-images-idx3-ubyte.",
    ),
    "labels for one part": Case(
        idx(train_images=IMAGES, train_labels=LABELS.astype(np.uint8), t10k_images=IMAGES),
        "photos contains labels for only one of its parts, train and t10k.",
    ),
    "a file twice": Case(
        twice,
        "photos contains both train-images-idx3-ubyte and train-images-idx3-ubyte.gz; remove one of them.",
    ),
}


CASES = {f".npz: {name}": case._replace(dataset="photos.npz") for name, case in NPZ.items()} | {
    f"IDX: {name}": case for name, case in IDX.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_wrong_arrays_are_refused_with_their_sentence(
    case: Case, working: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect(case, working, capsys)
