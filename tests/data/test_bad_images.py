"""Image files that `prepare` refuses: listed with their reasons, and nothing written."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from PIL import Image, ImageOps

import prepare
from tests.data.bad_input import (
    FLOATS,
    IMAGES,
    NOISE,
    ONE_OF_FOUR,
    ONLY_ONE,
    SKIPPING,
    Case,
    change,
    changed,
    expect,
    files,
    png,
    refusal,
    saved,
    with_good,
)
from vae.stage import run_stage

NONE_LEFT = "photos has no image in its train part that can be read."


UNKNOWN = "it is not an image in one of these formats, or is damaged"
JPEG = saved(Image.fromarray(np.tile(NOISE, (4, 4, 1))), "JPEG")
HUGE = saved(Image.new("1", (20_000, 20_000)), "PNG")
LARGE = saved(Image.new("1", (10_000, 9_000)), "PNG")


def pipe(folder: Path) -> None:
    with_good("d_dot_txt", b"")(folder)
    os.mkfifo(folder / "photos/bad.png")


def dangling(folder: Path) -> None:
    with_good("d_dot_txt", b"")(folder)
    (folder / "photos/bad.png").symlink_to("nowhere.png")


def many_broken(folder: Path) -> None:
    with_good("d_dot_txt", b"")(folder)
    for number in range(12):
        (folder / f"photos/{number:02}.png").write_bytes(b"")


CASES = {
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


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_wrong_files_are_refused_with_their_sentence(
    case: Case, working: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect(case, working, capsys)


def test_a_file_that_changes_meanwhile_is_refused(
    working: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_good("d_dot_png", png())(working)
    change(working, dataset="photos", **SKIPPING)
    real = ImageOps.exif_transpose

    def slowly(image: Image.Image) -> Image.Image:
        Path("photos/d.png").touch()
        return real(image)

    monkeypatch.setattr(ImageOps, "exif_transpose", slowly)
    assert refusal(working, capsys) == "photos/d.png changed while it was read; run this stage again."


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
    open_folder.chmod(0o777)
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
