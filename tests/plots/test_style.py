import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from vae.plots import grids
from vae.plots.style import COLORS, MAX_BYTES, MORE_COLORS, class_colors, nats, new_figure, save_figure

# From linear RGB to linear RGB as seen without one kind of cone: Machado et al. (2009), severity 1.
VISION = {
    "normal": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


@pytest.mark.parametrize("vision", VISION)
def test_the_twenty_colours_are_distinct_with_each_kind_of_vision(vision: str) -> None:
    rgb = np.array([to_rgb(color) for color in COLORS + MORE_COLORS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.array(VISION[vision]).T).clip(0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(seen @ to_xyz.T / [0.9505, 1, 1.089], 1e-3)).T
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)  # CIELAB: about 2 is just noticeable
    distances = np.linalg.norm(lab[:, np.newaxis] - lab, axis=2)[np.triu_indices(20, 1)]
    assert len(distances) == 190
    assert distances.min() > 15


def test_every_class_has_a_colour_of_its_own() -> None:
    assert class_colors(3) == COLORS[:3]
    assert class_colors(10) == COLORS
    assert class_colors(20) == COLORS + MORE_COLORS
    assert len(set(class_colors(40))) == 40


def test_equal_figures_are_saved_as_png_files_of_equal_bytes(
    tmp_path: Path, noise: Callable[..., NDArray[np.float32]]
) -> None:
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, grids.samples(noise(4), "samples"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
        assert round(picture.info["dpi"][0]) == 150


def test_few_levels_keep_the_colours_exact(tmp_path: Path) -> None:
    figure = new_figure(2, 1, "")
    colors = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in COLORS], np.uint8)
    figure.figimage(colors[np.newaxis].repeat(10, axis=0), 0, 0)
    greys = np.arange(256, dtype=np.uint8)[np.newaxis, :, np.newaxis].repeat(3, axis=2)
    figure.figimage(greys, 20, 0)
    for levels in (256, 16):
        save_figure(tmp_path / "picture.png", figure, levels)
        with Image.open(tmp_path / "picture.png") as picture:
            drawn = np.asarray(picture)
        np.testing.assert_array_equal(drawn[-1, :10], colors)
        assert len(np.unique(drawn[-1, 20:276])) == levels
        assert drawn[0, -1].tolist() == [255, 255, 255]


def test_a_figure_has_its_size_and_title() -> None:
    figure = new_figure(4, 3, "title")
    assert figure.get_size_inches().tolist() == [4, 3]
    assert figure.get_suptitle() == "title"


@pytest.mark.slow
def test_a_picture_of_noise_is_small_and_resembles_the_original(tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(size=(100, 256, 256, 3)).astype("float32")
    images[:50] = images[0, :1, :1]  # uniform
    save_figure(tmp_path / "picture.png", grids.samples(images, "noise"))
    assert (tmp_path / "picture.png").stat().st_size <= MAX_BYTES
    with Image.open(tmp_path / "picture.png") as picture:
        drawn = np.asarray(picture.convert("RGB"))
    np.testing.assert_allclose(drawn[120, 60] / 255, images[0, 0, 0], atol=0.1)
    assert (drawn[2, 2] >= 250).all()


def test_dvc_draws_the_classes_in_the_same_colours(root: Path) -> None:
    template = json.loads((root / ".dvc/plots/classes.json").read_text(encoding="utf-8"))
    assert template["spec"]["encoding"]["color"]["scale"]["range"] == [*COLORS, *MORE_COLORS]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (100.785, 2, f"{100.785:.2f}"),
        (-12.34, 1, "−12.3"),
        (-0.01, 1, "0.0"),
        (999_999.94, 1, "999999.9"),
        (-1_234_567.8, 2, "−1234568"),
    ],
)
def test_nats_are_short(value: float, decimals: int, text: str) -> None:
    assert nats(value, decimals) == text
