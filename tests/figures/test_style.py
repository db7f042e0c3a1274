from pathlib import Path

import numpy as np
from PIL import Image

from vae.figures import grids
from vae.figures.style import COLORS, new_figure, save_figure


def test_ten_colours_are_distinct() -> None:
    assert len(set(COLORS)) == 10


def test_saved_figure_is_a_png_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    image = np.random.default_rng(0).uniform(size=(4, 28, 28, 1)).astype("float32")
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, grids.samples(image, "samples"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
        assert round(picture.info["dpi"][0]) == 150


def test_few_levels_leave_the_colours_exact(tmp_path: Path) -> None:
    figure = new_figure(2, 1, "")
    colours = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in COLORS], np.uint8)
    figure.figimage(colours[np.newaxis].repeat(10, axis=0), 0, 0)
    greys = np.arange(256, dtype=np.uint8)[np.newaxis, :, np.newaxis].repeat(3, axis=2)
    figure.figimage(greys, 20, 0)
    for levels in (256, 16):
        save_figure(tmp_path / "picture.png", figure, levels)
        with Image.open(tmp_path / "picture.png") as picture:
            drawn = np.asarray(picture)
        np.testing.assert_array_equal(drawn[-1, :10], colours)
        assert len(np.unique(drawn[-1, 20:276])) == levels
        assert drawn[0, -1].tolist() == [255, 255, 255]


def test_a_figure_has_its_size_and_title() -> None:
    figure = new_figure(4, 3, "title")
    assert figure.get_size_inches().tolist() == [4, 3]
    assert figure.get_suptitle() == "title"
