"""Data that `prepare` refuses: one error with its sentence, exit status 1, no traceback, and nothing written."""

import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageOps

import prepare
from mirror import encode
from vae.stage import run_stage

NOISE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
IMAGES = np.random.default_rng(1).integers(0, 256, (9, 8, 8), np.uint8)
LABELS = np.arange(9) % 3
SKIPPING = MappingProxyType({"skip_unreadable": True})
NONE_LEFT = "photos has no image in its train part that can be read."
ONE_OF_FOUR = "photos: 1 of 4 images cannot be read (prepare.skip_unreadable: true leaves them out):\n  photos/bad"

Make = Callable[[Path], object]


class Case(NamedTuple):
    """What is made in the working folder, what is asked for, and the error."""

    make: Make
    message: str
    dataset: str = "photos"
    options: Mapping[str, Any] = MappingProxyType({})


def png(array: NDArray[Any] = NOISE, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG", **options)
    return stream.getvalue()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


def files(**contents: bytes) -> Make:
    """Return a maker of files below `photos`; in their names, `__` stands for a slash and `_dot_` for a dot."""

    def make(folder: Path) -> None:
        for name, content in contents.items():
            path = folder / "photos" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return make


def with_good(name: str, content: bytes) -> Make:
    """Return a maker of three images and another file."""
    return files(a_dot_png=png(), b_dot_png=png(), c_dot_png=png(), **{name: content})


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


def folders(*names: str) -> Make:
    def make(folder: Path) -> None:
        for name in names:
            (folder / "photos" / name).mkdir(parents=True)

    return make


def linked(target: str, name: str) -> Make:
    """Return a maker of three images, and of a link to `target`."""

    def make(folder: Path) -> None:
        with_good("d__e_dot_png", png())(folder)
        for path in sorted((folder / "photos").glob("*.png")):
            shutil.move(path, folder / "photos/d" / path.name)
        (folder / "photos" / name).symlink_to(target)

    return make


def pipe(folder: Path) -> None:
    with_good("d_dot_txt", b"")(folder)
    os.mkfifo(folder / "photos/bad.png")


def dangling(folder: Path) -> None:
    with_good("d_dot_txt", b"")(folder)
    (folder / "photos/bad.png").symlink_to("nowhere.png")


def twice(folder: Path) -> None:
    idx(train_images=IMAGES)(folder)
    (folder / "photos/train-images-idx3-ubyte").write_bytes(b"")


def many_sizes(folder: Path) -> None:
    (folder / "photos").mkdir()
    for number in range(30):
        side = 8 + min(number // 2, 9)
        (folder / f"photos/{number}.png").write_bytes(png(np.zeros((side, 9), np.uint8)))


def many_broken(folder: Path) -> None:
    with_good("d_dot_txt", b"")(folder)
    for number in range(12):
        (folder / f"photos/{number:02}.png").write_bytes(b"")


JPEG = saved(Image.fromarray(np.tile(NOISE, (4, 4, 1))), "JPEG")
HUGE = saved(Image.new("1", (20_000, 20_000)), "PNG")
LARGE = saved(Image.new("1", (10_000, 9_000)), "PNG")
ABSENT = "but there is no such file or folder; "
UNKNOWN = "it is not an image in one of these formats, or is damaged"
SUFFIXES = ".png, .jpg, .jpeg, .jpe, .jfif, .webp, .bmp, .dib, .tif, .tiff, .gif are read."
SHAPES = "but must have (n, height, width), (n, height, width, 1) or (n, height, width, 3)."
FLOATS = (IMAGES / 255).astype(np.float32)
ONLY_ONE = "photos contains {} to train with, but at least 3 are needed: validation images, and test images"


def changed(array: NDArray[Any], value: float) -> NDArray[Any]:
    copy = array.copy()
    copy.flat[7] = value
    return copy


PATHS = {
    "a name misspelt": Case(lambda _: None, f"prepare.dataset is 'minst', {ABSENT}did you mean mnist?", "minst"),
    "a name in capitals": Case(lambda _: None, f"prepare.dataset is 'KMNIST', {ABSENT}did you mean kmnist?", "KMNIST"),
    "a path that does not exist": Case(
        lambda _: None,
        f"prepare.dataset is 'my photos', {ABSENT}names are mnist, fashion_mnist, kmnist.",
        "my photos",
    ),
    "a link to nothing": Case(
        lambda folder: (folder / "photos").symlink_to("nowhere"),
        f"prepare.dataset is 'photos', {ABSENT}names are mnist, fashion_mnist, kmnist.",
    ),
    "a link to itself": Case(
        lambda folder: (folder / "photos").symlink_to("photos"),
        f"prepare.dataset is 'photos', {ABSENT}names are mnist, fashion_mnist, kmnist.",
    ),
    "the repository itself": Case(
        lambda _: None, "prepare.dataset is '.', but must not contain the pipeline's own data.", "."
    ),
    "the home folder": Case(
        lambda _: None,
        "params.yaml: prepare.dataset is '~/photos', but must be a path without ~, which DVC does not expand.",
        "~/photos",
    ),
    "an archive": Case(
        lambda folder: (folder / "photos.zip").write_bytes(b"PK"),
        "photos.zip is neither a folder nor a .npz file; unpack an archive, or name a folder of images.",
        "photos.zip",
    ),
    "one image": Case(
        lambda folder: (folder / "photos.png").write_bytes(png()),
        "photos.png is neither a folder nor a .npz file; unpack an archive, or name a folder of images.",
        "photos.png",
    ),
}

FOLDERS = {
    "an empty folder": Case(folders("."), f"photos contains no images; {SUFFIXES}"),
    "a folder of hidden files": Case(
        files(_dot_DS_Store=b"", Thumbs_dot_db=b"", __MACOSX__a_dot_png=png()), f"photos contains no images; {SUFFIXES}"
    ),
    "a folder of other files": Case(
        files(a_dot_txt=b"", b_dot_txt=b"", c_dot_heic=b"", README=b""),
        f"photos contains no images, but 4 other files (.txt, no suffix, .heic); {SUFFIXES}",
    ),
    "a folder of empty folders": Case(folders("cat", "dog"), f"photos contains no images; {SUFFIXES}"),
    "one image in a folder": Case(files(a_dot_png=png()), ONLY_ONE.format("1 image")),
    "two images": Case(files(a_dot_png=png(), b_dot_png=png()), ONLY_ONE.format("2 images")),
    "images next to folders of images": Case(
        files(a_dot_png=png(), cat__b_dot_png=png()),
        "photos contains images (a.png) next to folders of images (cat): put all images into folders, one for each "
        "class, or none.",
    ),
    "a test part without a training part": Case(
        files(test__a_dot_png=png()), "photos contains test, but no folder train."
    ),
    "two test parts": Case(
        files(train__a_dot_png=png(), val__a_dot_png=png(), validation__a_dot_png=png()),
        "photos contains two folders for one part: train, val, validation.",
    ),
    "an empty test part": Case(
        lambda folder: (files(train__a_dot_png=png())(folder), folders("test")(folder)),
        f"photos/test contains no images; {SUFFIXES}",
    ),
    "an empty training part": Case(
        lambda folder: (files(test__a_dot_png=png())(folder), folders("train")(folder)),
        f"photos/train contains no images; {SUFFIXES}",
    ),
    "classes in only one part": Case(
        files(train__cat__a_dot_png=png(), test__a_dot_png=png()),
        "photos has folders by class in only some of train, test.",
    ),
    "parts of two sizes": Case(
        files(train__a_dot_png=png(), train__b_dot_png=png(), test__a_dot_png=png(NOISE[:9])),
        "photos has images of 2 sizes (2 of 12x12, 1 of 9x12); set prepare.image_size to [height, width].",
    ),
    "mixed sizes": Case(
        many_sizes,
        "photos has images of 10 sizes (12 of 17x9, 2 of 8x9, 2 of 9x9, 2 of 10x9, 2 of 11x9, 5 other sizes); set "
        "prepare.image_size to [height, width].",
    ),
    "images of one pixel": Case(
        files(a_dot_png=png(NOISE[:1, :1]), b_dot_png=png(NOISE[:1, :1]), c_dot_png=png(NOISE[:1, :1])),
        "photos has images of 1x1 pixels, but each side must be from 8 to 256; set prepare.image_size, for example to "
        "[64, 64].",
    ),
    "images that are too narrow": Case(
        files(a_dot_png=png(NOISE[:, :7])),
        "photos has images of 12x7 pixels, but each side must be from 8 to 256; set prepare.image_size, for example to "
        "[64, 64].",
    ),
    "images that are too large": Case(
        files(a_dot_png=png(np.zeros((257, 300), np.uint8))),
        "photos has images of 257x300 pixels, but each side must be from 8 to 256; set prepare.image_size, for example "
        "to [64, 64].",
    ),
    "two names that look the same": Case(
        lambda folder: [files(**{f"{name}__a_dot_png": png()})(folder) for name in ("caf\u00e9", "cafe\u0301")],
        "photos contains two folders whose names look the same, café ('cafe\\u0301' and 'caf\\xe9'); rename one.",
    ),
    "a name with a line break": Case(
        files(**{"a\nb__a_dot_png": png()}),
        "photos contains a folder whose name cannot be shown: 'a\\nb'; rename it.",
    ),
    "a name that is not UTF-8": Case(
        files(**{os.fsdecode(b"caf\xe9") + "__a_dot_png": png()}),
        "photos contains a folder whose name cannot be shown: 'caf\\udce9'; rename it.",
    ),
    "a link to the folder around it": Case(
        linked("..", "d/up"), "photos/d/up is a link to a folder that contains it; remove the link."
    ),
    "a link to the folder itself": Case(
        linked(".", "d/again"), "photos/d/again is a link to a folder that contains it; remove the link."
    ),
}

UNREADABLE = {
    "text": Case(with_good("bad_dot_png", b"cat"), f"{ONE_OF_FOUR}.png: {UNKNOWN}"),
    "a web page": Case(with_good("bad_dot_jpg", b"<!DOCTYPE html>"), f"{ONE_OF_FOUR}.jpg: {UNKNOWN}"),
    "an empty file": Case(with_good("bad_dot_png", b""), f"{ONE_OF_FOUR}.png: it is empty"),
    "a truncated PNG": Case(with_good("bad_dot_png", png()[:-60]), f"{ONE_OF_FOUR}.png: image file is truncated"),
    "a PNG with a wrong byte": Case(
        with_good("bad_dot_png", png()[:60] + b"\xff\xff" + png()[62:]),
        f"{ONE_OF_FOUR}.png: broken data stream when reading image file",
    ),
    "a PNG that ends in its header": Case(with_good("bad_dot_png", png()[:20]), f"{ONE_OF_FOUR}.png: "),
    "a truncated JPEG": Case(with_good("bad_dot_jpg", JPEG[:-200]), f"{ONE_OF_FOUR}.jpg: image file is truncated"),
    "a truncated JPEG that is reduced": Case(
        with_good("bad_dot_jpg", JPEG[:-200]),
        f"{ONE_OF_FOUR}.jpg: image file is truncated",
        options={"image_size": [8, 8]},
    ),
    "a PostScript file": Case(
        with_good("bad_dot_png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), f"{ONE_OF_FOUR}.png: {UNKNOWN}"
    ),
    "20,000 x 20,000 pixels": Case(
        with_good("bad_dot_png", HUGE), f"{ONE_OF_FOUR}.png: it has more than 89,478,485 pixels"
    ),
    "10,000 x 9,000 pixels": Case(
        with_good("bad_dot_png", LARGE),
        f"{ONE_OF_FOUR}.png: it has more than 89,478,485 pixels",
        options={"image_size": [64, 64]},
    ),
    "floats up to 255": Case(
        with_good("bad_dot_tif", saved(Image.fromarray(IMAGES[0].astype(np.float32)), "TIFF")),
        f"{ONE_OF_FOUR}.tif: it has floating-point values from {IMAGES[0].min()} to {IMAGES[0].max()}, but must be "
        "within 0 and 1",
    ),
    "floats with NaN": Case(
        with_good("bad_dot_tif", saved(Image.fromarray(changed(FLOATS[0], np.nan)), "TIFF")),
        f"{ONE_OF_FOUR}.tif: it has floating-point values from nan to nan, but must be within 0 and 1",
    ),
    "32-bit whole numbers": Case(
        with_good("bad_dot_tif", saved(Image.fromarray(IMAGES[0].astype(np.int32)), "TIFF")),
        f"{ONE_OF_FOUR}.tif: its pixels are in the mode I, but must be 8-bit or 16-bit grey, or 8-bit colour",
    ),
    "LAB colours": Case(
        with_good("bad_dot_tif", saved(Image.new("LAB", (12, 12)), "TIFF")),
        f"{ONE_OF_FOUR}.tif: its pixels are in the mode LAB, but must be",
    ),
    "a link to nothing": Case(dangling, f"{ONE_OF_FOUR}.png: it is a link to nowhere.png, which does not exist"),
    "a pipe": Case(pipe, f"{ONE_OF_FOUR}.png: it is not a file"),
    "twelve empty files": Case(
        many_broken,
        "photos: 12 of 15 images cannot be read (prepare.skip_unreadable: true leaves them out):\n"
        + "".join(f"  photos/{number:02}.png: it is empty\n" for number in range(10))
        + "  and 2 more",
    ),
    "a name with a line break": Case(with_good("bad\n_dot_png", b""), f"{ONE_OF_FOUR}\\n.png: it is empty"),
    "nothing but unreadable files": Case(files(a_dot_png=b"", b_dot_png=b""), NONE_LEFT, options=SKIPPING),
    "too few that can be read": Case(
        files(a_dot_png=png(), b_dot_png=b"", c_dot_png=png()), ONLY_ONE.format("2 images"), options=SKIPPING
    ),
}

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
        f"photos.npz: its array 'images' has the shape (9, 32, 32, 4), {SHAPES}",
    ),
    "zero images": Case(npz(images=IMAGES[:0]), "photos.npz: its array 'images' is empty: its shape is (0, 8, 8)."),
    "whole numbers": Case(
        npz(images=IMAGES.astype(int)),
        "photos.npz: its array 'images' is int64, but must be uint8, or floats from 0 to 1.",
    ),
    "NaN": Case(
        npz(images=changed(FLOATS, np.nan)),
        "photos.npz: its array 'images' has values from nan to nan, but floats must be within 0 and 1.",
    ),
    "infinity": Case(
        npz(images=changed(FLOATS, np.inf)),
        "photos.npz: its array 'images' has values from 0 to inf, but floats must be within 0 and 1.",
    ),
    "floats up to 255": Case(
        npz(images=IMAGES.astype(float)),
        "photos.npz: its array 'images' has values from 0 to 255, but floats must be within 0 and 1; divide it by 255, "
        "or make it uint8.",
    ),
    "negative floats": Case(
        npz(images=FLOATS * 2 - 1),
        "photos.npz: its array 'images' has values from -1 to 1, but floats must be within 0 and 1.",
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
        "photos.npz: its array 'labels' has the shape (9, 9), but must have (n,).",
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
    "two images": Case(npz(images=IMAGES[:2]), "photos.npz contains 2 images to train with, but at least 3 are needed"),
    "too many validation images": Case(
        npz(images=IMAGES),
        "prepare.validation_size is 5000, but must leave at least one of the 8 training images: use a share below 1, "
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

CASES = {
    f"{kind}: {name}": case if kind != ".npz" else case._replace(dataset="photos.npz")
    for kind, cases in {"path": PATHS, "folder": FOLDERS, "file": UNREADABLE, ".npz": NPZ, "IDX": IDX}.items()
    for name, case in cases.items()
}


@pytest.fixture
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with the committed parameters."""
    shutil.copy(root / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(folder: Path, **options: Any) -> None:
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["prepare"] |= options
    (folder / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refusal(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the stage, check what all refusals have in common, and return the error."""
    before = tree(folder)
    with pytest.raises(SystemExit) as ended:
        run_stage(prepare.main)
    assert ended.value.code == 1
    assert tree(folder) == before
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert "Traceback" not in output.err
    return output.err.removeprefix("error: ").removesuffix("\n")


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_input_is_refused_with_its_sentence(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case.make(folder)
    change(folder, dataset=case.dataset, **case.options)
    message = refusal(folder, capsys)
    assert message == case.message or (case.message[-1:] != "." and message.startswith(case.message))


def test_a_file_that_changes_meanwhile_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_good("d_dot_png", png())(folder)
    change(folder, dataset="photos", **SKIPPING)
    real = ImageOps.exif_transpose

    def slowly(image: Image.Image) -> Image.Image:
        Path("photos/d.png").touch()
        return real(image)

    monkeypatch.setattr(ImageOps, "exif_transpose", slowly)
    assert refusal(folder, capsys) == "photos/d.png changed while it was read; run this stage again."


@pytest.fixture
def open_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a working folder that every user may enter, unlike pytest's."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        shutil.copy(root / "params.yaml", name)
        monkeypatch.chdir(name)
        yield Path(name)
        monkeypatch.chdir("/")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("photos", "photos cannot be read: Permission denied."),
        ("photos/bad.png", f"{ONE_OF_FOUR}.png: it cannot be read: Permission denied"),
    ],
)
def test_what_may_not_be_read_is_refused(
    place: str, message: str, open_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_good("bad_dot_png", png())(open_folder)
    change(open_folder, dataset="photos")
    (open_folder / place).chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(SystemExit) as ended:
            run_stage(prepare.main)
    finally:
        os.seteuid(user)
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"error: {message}\n"
