"""Results in files: what is written is what was computed, and each file is whole or absent."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vae.errors import InputError
from vae.inference import outputs
from vae.inference.outputs import Results, open_output, write

RNG = np.random.default_rng(0)
IMAGES = RNG.random((5, 4, 6, 1)).astype("float32")
Z = RNG.standard_normal((5, 2)).astype("float32")
NAMES = np.array(["photos/a/1.jpg", "/photos/b/1.png", "7", "../x", "train/3"])


def parts() -> Iterator[Results]:
    for rows in (slice(0, 2), slice(2, 4), slice(4, 5)):
        yield {"name": NAMES[rows], "z": Z[rows], "image": IMAGES[rows]}


def test_a_table_has_a_column_for_each_number_and_keeps_float32(tmp_path: Path) -> None:
    assert write(parts(), open_output(f"{tmp_path}/new/x.csv")) == 5
    table = pd.read_csv(tmp_path / "new/x.csv")
    assert [*table.columns[:4]] == ["name", "z_0", "z_1", "image_0"]
    assert table.shape == (5, 3 + 24)
    assert table.name.tolist() == NAMES.tolist()
    np.testing.assert_array_equal(table[["z_0", "z_1"]].to_numpy("float32"), Z)
    np.testing.assert_array_equal(table.iloc[:, 3:].to_numpy("float32"), IMAGES.reshape(5, -1))


def test_an_archive_has_the_arrays_and_equal_bytes_each_time(tmp_path: Path) -> None:
    for name in ("x", "y"):
        assert write(parts(), open_output(f"{tmp_path}/{name}.npz")) == 5
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        assert {*found} == {"name", "z", "image"}
        np.testing.assert_array_equal(found["z"], Z, strict=True)
        np.testing.assert_array_equal(found["image"], IMAGES, strict=True)
        assert found["name"].tolist() == NAMES.tolist()
    assert (tmp_path / "x.npz").read_bytes() == (tmp_path / "y.npz").read_bytes()


def test_a_folder_has_a_picture_of_each_row_with_its_name(tmp_path: Path) -> None:
    assert write(parts(), open_output(f"{tmp_path}/out/")) == 5
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["7.png", "photos/a/1.png", "photos/b/1.png", "train/3.png", "x.png"]
    pixels = np.asarray(Image.open(tmp_path / "out/photos/b/1.png"))
    np.testing.assert_array_equal(pixels, np.rint(255 * IMAGES[1, ..., 0]))


def test_equal_names_give_different_files(tmp_path: Path) -> None:
    write([{"name": np.array(["a.png", "a.jpg"]), "image": IMAGES[:2]}], open_output(f"{tmp_path}/out/"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-1.png", "a.png"]


def test_a_sheet_shows_all_images_row_by_row(tmp_path: Path) -> None:
    assert write(parts(), open_output(f"{tmp_path}/x.png"), columns=3) == 5
    sheet = np.asarray(Image.open(tmp_path / "x.png"))
    assert sheet.shape == (2 * 4 + 2, 3 * 6 + 4)
    np.testing.assert_array_equal(sheet[:4, 8:14], np.rint(255 * IMAGES[1, ..., 0]))
    np.testing.assert_array_equal(sheet[6:, :6], np.rint(255 * IMAGES[3, ..., 0]))
    assert np.all(sheet[6:, 16:] == outputs.PAPER)


def test_a_sheet_shows_an_image_next_to_its_reconstruction_in_colour(tmp_path: Path) -> None:
    colour = RNG.random((2, 4, 6, 3)).astype("float32")
    results = [{"name": NAMES[:2], "original": colour, "image": 1 - colour}]
    write(results, open_output(f"{tmp_path}/x.png"), columns=1)
    sheet = np.asarray(Image.open(tmp_path / "x.png"))
    assert sheet.shape == (10, 12, 3)
    np.testing.assert_array_equal(sheet[6:, :6], np.rint(255 * colour[1]))
    np.testing.assert_array_equal(sheet[6:, 6:], np.rint(255 * (1 - colour[1])))


def test_too_many_images_for_a_sheet_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MAX_SHEET", 3)
    with pytest.raises(InputError, match=r"^a picture has room for 3 images: name a folder"):
        write(parts(), open_output(f"{tmp_path}/x.png"))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["x.csv", "x.npz", "x.png"])
def test_an_error_or_an_interrupt_leaves_the_former_file(name: str, tmp_path: Path) -> None:
    def interrupted() -> Iterator[Results]:
        yield next(parts())
        raise KeyboardInterrupt

    (tmp_path / name).write_text("former")
    with pytest.raises(KeyboardInterrupt):
        write(interrupted(), open_output(f"{tmp_path}/{name}", force=True))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "former"


def test_standard_output_gets_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    write(parts(), open_output("-"))
    np.testing.assert_array_equal(pd.read_csv(io.StringIO(capsys.readouterr().out))["z_1"].astype("float32"), Z[:, 1])


@pytest.mark.parametrize("form", ["npz", "png"])
def test_standard_output_gets_other_formats(form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write(parts(), open_output("-", form))
    found = io.BytesIO(capfdbinary.readouterr().out)
    if form == "npz":
        np.testing.assert_array_equal(np.load(found)["z"], Z)
    else:
        assert Image.open(found).size == (2 * 6 + 2, 3 * 4 + 4)


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("x.txt", {}, "the output is {}/x.txt, but must end in .csv or .npz or .png or / (a folder of PNG files)."),
        ("x", {"images": False}, "the output is {}/x, but must end in .csv or .npz."),
        ("x.png", {"images": False}, "the output is {}/x.png, but must end in .csv or .npz."),
        ("full/", {}, "{}/full/ is a folder that is not empty; --force overwrites files in it."),
        ("full", {}, "{}/full is a folder that is not empty; --force overwrites files in it."),
        ("full/", {"form": "csv"}, "the output {}/full/ is a folder, but a csv file is one file; name it."),
        ("full/x.csv", {}, "{}/full/x.csv exists already; --force overwrites it."),
    ],
)
def test_outputs_that_do_not_fit_or_exist_are_refused(
    target: str, options: dict[str, object], message: str, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x.csv").touch()
    with pytest.raises(InputError) as refused:
        open_output(f"{tmp_path}/{target}", **options)  # type: ignore[arg-type]
    assert str(refused.value) == message.format(tmp_path)
