from pathlib import Path

import numpy as np
from PIL import Image

from vae.figures import grids
from vae.figures.style import COLORS, save_figure


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
