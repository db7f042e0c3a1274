"""Data sets of the user's own: folders of images, `.npz` files and IDX files, in each layout that is accepted."""

import gzip
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mirror import archives
from vae.data.formats.dataset import DataSet, Part
from vae.data.formats.options import Options
from vae.data.loading import describe, load_data_set
from vae.data.preparation import split
from vae.settings.prepare import NAMES

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (12, 9, 8), np.uint8)
COLOUR = RNG.integers(0, 256, (12, 9, 8, 3), np.uint8)


def save(path: Path, image: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def load(path: Path, **options: Any) -> DataSet:
    return load_data_set(str(path), Options(**options))


def same(part: Part | None, images: NDArray[Any] | Sequence[NDArray[Any]], labels: Sequence[int] | None) -> None:
    """Compare a part with images, in order, and with labels."""
    assert part is not None
    expected = np.stack([*images])
    np.testing.assert_array_equal(
        part.images[:], expected if part.images.ndim == expected.ndim else expected[..., None]
    )
    assert (None if part.labels is None else part.labels.tolist()) == labels


def test_a_flat_folder_has_no_labels_and_the_order_of_its_names(tmp_path: Path) -> None:
    for name, image in zip(["b.png", "a.PNG", "10.png", "9.png", "é.png"], GREY, strict=False):
        save(tmp_path / "photos" / name, image)
    data = load(tmp_path / "photos")
    same(data.train, [GREY[index] for index in (2, 3, 1, 0, 4)], None)
    assert (data.test, data.validation, data.class_names, data.notes) == (None, None, (), ())
    assert describe("photos", data) == "photos: 5 images without labels, 9x8 pixels, 1 channel; test part held out"


def test_folders_are_classes_at_any_depth_and_in_any_alphabet(tmp_path: Path) -> None:
    names = ["猫/a.png", "Hund/x/y/a.png", "Hund/b.png", "кот/1.png", "ك ل/1.png"]
    for name, image in zip(names, COLOUR, strict=False):
        save(tmp_path / "my photos" / name, image)
    data = load(tmp_path / "my photos")
    assert data.class_names == ("Hund", "кот", "ك ل", "猫")
    same(data.train, [COLOUR[index] for index in (2, 1, 3, 4, 0)], [0, 0, 1, 2, 3])
    assert describe("p", data) == "p: 5 images in 4 classes, 9x8 pixels, 3 channels; test part held out"


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "validation", "testing"), ("train", "", "test")],
)
@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_parts_of_its_own_are_taken(tmp_path: Path, train: str, validation: str, test: str, labelled: bool) -> None:
    cat, dog = ("cat/", "dog/") if labelled else ("", "")
    save(tmp_path / train / f"{dog}1.png", GREY[0])
    save(tmp_path / train / f"{cat}2.png", GREY[1])
    save(tmp_path / test / f"{dog}3.png", GREY[2])
    if validation:
        save(tmp_path / validation / f"{cat}4.png", GREY[3])
    data = load(tmp_path)
    assert data.class_names == (("cat", "dog") if labelled else ())
    same(data.train, GREY[[1, 0]] if labelled else GREY[:2], [0, 1] if labelled else None)
    same(data.test, GREY[2:3], [1] if labelled else None)
    if validation:
        same(data.validation, GREY[3:4], [0] if labelled else None)
    own = "own validation part; own test part" if validation else "own test part"
    assert describe("p", data).endswith(f"; {own}")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("train", "plane", "test"):
        save(tmp_path / name / "1.png", GREY[0])
    assert load(tmp_path).class_names == ("plane", "test", "train")


def test_what_file_managers_leave_behind_is_passed_over_and_other_files_are_counted(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", ".cache/1.png", "__MACOSX/1.png", "cat/._1.png"):
        save(tmp_path / name, GREY[0])
    save(tmp_path / "dog/1.png", GREY[1])
    for name in (".DS_Store", "cat/Thumbs.db", "dog/desktop.ini", "readme.txt", "cat/labels.csv"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    data = load(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert data.notes == (
        f"{tmp_path}: 2 files that are not images are left out.",
        f"{tmp_path}: 1 folder without images: empty.",
    )


def test_values_that_look_like_a_mistake_are_mentioned(tmp_path: Path) -> None:
    images = np.zeros((9, 8, 8), np.uint8)
    np.savez(tmp_path / "equal.npz", images=images + 200)
    np.savez(tmp_path / "dark.npz", images=images + np.arange(9, dtype=np.uint8)[:, np.newaxis, np.newaxis])
    (equal,), (dark,) = (load(tmp_path / f"{name}.npz").notes for name in ("equal", "dark"))
    assert equal.endswith("all training images are equal, so nothing can be learned, and there is no map of them.")
    assert dark.endswith("the largest value is 8 of 255; if it stands for white, divide by it and store floats.")


def test_true_is_white(tmp_path: Path) -> None:
    masks = np.random.default_rng(0).uniform(size=(9, 8, 8)) < 0.5
    np.savez(tmp_path / "masks.npz", images=masks)
    images = load(tmp_path / "masks.npz").train.images[:]
    np.testing.assert_array_equal(images, masks.astype(np.float32), strict=True)


def test_one_colour_image_makes_all_colour(tmp_path: Path) -> None:
    save(tmp_path / "1.png", GREY[0])
    save(tmp_path / "2.png", COLOUR[0])
    save(tmp_path / "3.png", GREY[1])
    grey = [np.repeat(image[..., None], 3, -1) for image in GREY[:2]]
    same(load(tmp_path).train, [grey[0], COLOUR[0], grey[1]], None)
    assert load(tmp_path, channels=1).train.images.shape == (3, 9, 8)


def test_one_image_of_16_bits_makes_all_numbers(tmp_path: Path) -> None:
    deep = np.full((9, 8), 12345, np.uint16)
    save(tmp_path / "1.png", GREY[0])
    save(tmp_path / "2.png", deep)
    save(tmp_path / "3.png", GREY[1])
    images = load(tmp_path).train.images[:]
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, [GREY[0] / 255, deep / 65535, GREY[1] / 255], rtol=1e-6)


def test_images_of_many_sizes_are_brought_to_one(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / f"{number}.png", np.full((10 + number, 50 - number), 200, np.uint8))
    for fit in ("pad", "crop", "stretch"):
        images = load(tmp_path, image_size=(16, 24), channels=3, fit=fit).train.images[:]
        assert images.shape == (20, 16, 24, 3)
        assert set(np.unique(images)) == ({0, 200} if fit == "pad" else {200})


@pytest.mark.parametrize("format", ["npz", "idx"])
@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_arrays_are_brought_to_one_size_like_files(tmp_path: Path, format: str, fit: str) -> None:  # noqa: A002
    for number, image in enumerate(GREY):
        save(tmp_path / f"images/{number:02}.png", image)
    if format == "npz":
        np.savez(tmp_path / "arrays.npz", images=GREY)
    else:
        write_idx(tmp_path / "arrays", Part(GREY, None))
    wanted: dict[str, Any] = {"image_size": (16, 12), "channels": 3, "fit": fit}
    arrays = load(tmp_path / ("arrays.npz" if format == "npz" else "arrays"), **wanted)
    np.testing.assert_array_equal(arrays.train.images[:], load(tmp_path / "images", **wanted).train.images[:])


def test_unreadable_files_are_left_out_and_listed(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / f"{number:02}.png", GREY[number % 12])
    for number in range(5, 17):
        (tmp_path / f"{number:02}.png").write_bytes(b"")
    data = load(tmp_path, skip_unreadable=True)
    same(data.train, GREY[[0, 1, 2, 3, 4, 5, 6, 7]], None)
    first, *listed, last = "\n".join(data.notes).splitlines()
    assert first == f"{tmp_path}: 12 of 20 images cannot be read and are left out:"
    assert listed == [f"  {tmp_path}/{number:02}.png: it is empty" for number in range(5, 15)]
    assert last == "  and 2 more"


def test_links_to_files_folders_and_disks_are_followed(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"disk/cat/{number}.png", GREY[number])
    save(tmp_path / "elsewhere/4.png", GREY[4])
    (tmp_path / "disk/dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "disk/elk").mkdir()
    (tmp_path / "disk/elk/5.png").symlink_to("../cat/0.png")
    (tmp_path / "photos").symlink_to("disk")
    data = load(tmp_path / "photos")
    assert data.class_names == ("cat", "dog", "elk")
    same(data.train, GREY[[0, 1, 2, 4, 0]], [0, 0, 0, 1, 2])


def test_the_order_does_not_depend_on_the_file_system(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        for number in range(12) if folder == "a" else reversed(range(12)):
            save(tmp_path / folder / f"{number}.png", GREY[number])
    np.testing.assert_array_equal(load(tmp_path / "a").train.images, load(tmp_path / "b").train.images)


@pytest.mark.parametrize("classes", [1, 256, 257, 1000])
def test_any_number_of_classes_is_prepared(tmp_path: Path, classes: int) -> None:
    image = tmp_path / "image.png"
    save(image, GREY[0])
    for number in range(classes):
        for copy in range(1 + 8 * (number == 0)):
            path = tmp_path / f"photos/{number}/{copy}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(image, path)
    data = load(tmp_path / "photos")
    assert len(data.class_names) == classes
    parts = split(data, share=1, validation_size=0.08333, test_size=0.15, seed=1)
    assert sum(len(part.images) for part in parts.values()) == classes + 8
    for part in parts.values():
        assert part.labels is not None
        assert part.labels.dtype == (np.uint8 if classes <= 256 else np.uint16)
        assert len(part.class_names) == classes


LABELS = [3, 3, 10, 5, 5, 5, 3, 3, 3, 3, 3, 3]
KERAS = {"x_train": GREY, "x_test": GREY[:4]}
NPZ: dict[str, tuple[dict[str, Any], list[int] | None, tuple[str, ...]]] = {
    "no labels": ({"images": GREY}, None, ()),
    "with a channel": ({"images": GREY[..., None]}, None, ()),
    "in colour": ({"images": COLOUR}, None, ()),
    "numbers": ({"images": GREY, "labels": LABELS}, [0, 0, 2, 1, 1, 1, *[0] * 6], ("3", "5", "10")),
    "names": ({"images": GREY, "labels": ["b", "a"] * 6}, [1, 0] * 6, ("a", "b")),
    "bits": ({"images": GREY, "labels": np.array([True, False] * 6)}, [1, 0] * 6, ("False", "True")),
    "in a column": ({"images": GREY, "labels": np.eye(12, 1, dtype=int)}, [1] + [0] * 11, ("0", "1")),
    "numbers with names": (
        {"images": GREY, "labels": [2, 0] * 6, "class_names": ["z", "é", "a"]}, [2, 0] * 6, ("z", "é", "a")
    ),
    "names in an order": (
        {"images": GREY, "labels": ["a", "z"] * 6, "class_names": ["z", "é", "a"]}, [2, 0] * 6, ("z", "é", "a")
    ),
    "Keras's names": (KERAS | {"y_train": [1] * 12, "y_test": [2, 1, 1, 1]}, [0] * 12, ("1", "2")),
    "others are ignored": ({"images": GREY, "file_names": np.array([None])}, None, ()),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "labels", "class_names"), NPZ.values(), ids=NPZ)
def test_npz_files_are_read(
    tmp_path: Path, arrays: dict[str, Any], labels: list[int] | None, class_names: tuple[str, ...]
) -> None:
    np.savez_compressed(tmp_path / "a.NPZ.npz", **arrays, allow_pickle=True)
    data = load(tmp_path / "a.NPZ.npz")
    same(data.train, arrays.get("images", GREY), labels)
    assert data.class_names == class_names
    if "x_test" in arrays:
        same(data.test, GREY[:4], [1, 0, 0, 0])
    else:
        assert data.test is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_in_npz_files_stay_as_they_are(tmp_path: Path, dtype: type[np.floating[Any]]) -> None:
    values = (COLOUR / 255).astype(dtype)
    np.savez(tmp_path / "a.npz", images=values)
    images = load(tmp_path / "a.npz").train.images[:]
    np.testing.assert_array_equal(images, values.astype(np.float32), strict=True)
    resized = load(tmp_path / "a.npz", image_size=(18, 16), fit="stretch").train.images[:]
    assert resized.shape == (12, 18, 16, 3)
    assert resized.dtype == np.float32
    assert 0 <= resized.min() <= resized.max() <= 1


def test_colour_arrays_become_grey_where_that_is_asked_for(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=COLOUR, test_images=COLOUR[:2])
    data = load(tmp_path / "a.npz", channels=1)
    assert [part.images.shape for part in data.parts] == [(12, 9, 8, 1), (2, 9, 8, 1)]
    np.testing.assert_allclose(data.train.images[:][..., 0], COLOUR @ [0.299, 0.587, 0.114], atol=0.51)


def test_a_grey_test_part_becomes_colour_like_the_training_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=COLOUR, test_images=GREY)
    data = load(tmp_path / "a.npz")
    same(data.test, np.repeat(GREY[..., None], 3, -1), None)


@pytest.mark.parametrize("save_as", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_files_are_read_however_numpy_stores_them(
    tmp_path: Path, save_as: Callable[..., None], order: Literal["C", "F"]
) -> None:
    save_as(tmp_path / "a.npz", images=COLOUR.copy(order), test_images=GREY.copy(order) > 99)
    data = load(tmp_path / "a.npz")
    same(data.train, COLOUR, None)
    same(data.test, np.repeat((GREY > 99)[..., None], 3, -1).astype(np.float32), None)


@pytest.mark.parametrize(
    "labels", [np.array(LABELS, np.float64), np.array(LABELS).astype("S2")], ids=["floats", "bytes"]
)
def test_labels_may_be_whole_floats_or_bytes(tmp_path: Path, labels: NDArray[Any]) -> None:
    np.savez(tmp_path / "a.npz", images=GREY, labels=labels)
    data = load(tmp_path / "a.npz")
    assert data.train.labels is not None
    assert [data.class_names[label] for label in data.train.labels] == list(map(str, LABELS))


def test_folders_without_images_and_classes_of_one_part_are_mentioned(tmp_path: Path) -> None:
    for name in ("train/a/1", "train/b/1", "train/b/2", "test/b/1", "test/c/1"):
        save(tmp_path / f"{name}.png", GREY[len(name) % 12])
    for name in ("train/none", "test/nothing"):
        (tmp_path / name).mkdir()
    assert load(tmp_path).notes[:3] == (
        f"{tmp_path}: 2 folders without images: none, nothing.",
        f"{tmp_path}: 1 class has images only in the training part: a.",
        f"{tmp_path}: 1 class has images only in the test part: c.",
    )


def write_idx(folder: Path, train: Part, test: Part | None = None, zipped: bool = True) -> None:
    folder.mkdir()
    for name, archive in archives(train, test or train).items():
        if test or name.startswith("train"):
            path = folder / (name if zipped else name.removesuffix(".gz"))
            path.write_bytes(archive if zipped else gzip.decompress(archive))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("tested", [True, False])
def test_idx_files_of_ones_own_are_read(tmp_path: Path, zipped: bool, labelled: bool, tested: bool) -> None:
    labels = np.array(LABELS, np.uint8) if labelled else None
    test = Part(GREY[:3], None if labels is None else labels[:3]) if tested else None
    write_idx(tmp_path / "idx", Part(GREY, labels), test, zipped)
    data = load(tmp_path / "idx")
    same(data.train, GREY, [0, 0, 2, 1, 1, 1, *[0] * 6] if labelled else None)
    assert data.class_names == (("3", "5", "10") if labelled else ())
    if tested:
        same(data.test, GREY[:3], [0, 0, 2] if labelled else None)
    else:
        assert data.test is None


def test_a_name_is_the_published_data_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    data = load_data_set("mnist", Options())
    assert describe("mnist", data) == "mnist: 70,000 images in 10 classes, 28x28 pixels, 1 channel; own test part"
    assert data.train.images.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_link_to_the_published_files(root: Path, name: str) -> None:
    assert (root / name).readlink() == Path("data/raw") / name
    assert (root / name / "README.md").is_file()
