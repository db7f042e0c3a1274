"""Paths and folders that `prepare` refuses: one error with its sentence, and nothing written."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.data.bad_input import NOISE, ONLY_ONE, SUFFIXES, Case, Make, expect, files, folders, png, with_good

ABSENT = "but there is no such file or folder; "


def linked(target: str, name: str) -> Make:
    """Return a maker of three images, and of a link to `target`."""

    def make(folder: Path) -> None:
        with_good("d__e_dot_png", png())(folder)
        for path in sorted((folder / "photos").glob("*.png")):
            shutil.move(path, folder / "photos/d" / path.name)
        (folder / "photos" / name).symlink_to(target)

    return make


def many_sizes(folder: Path) -> None:
    (folder / "photos").mkdir()
    for number in range(30):
        side = 8 + min(number // 2, 9)
        (folder / f"photos/{number}.png").write_bytes(png(np.zeros((side, 9), np.uint8)))


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


CASES = {f"path: {name}": case for name, case in PATHS.items()} | {
    f"folder: {name}": case for name, case in FOLDERS.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_wrong_paths_and_folders_are_refused_with_their_sentence(
    case: Case, working: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect(case, working, capsys)
