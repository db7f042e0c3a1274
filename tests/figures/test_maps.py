from pathlib import Path

import numpy as np
import pytest
from matplotlib import colors

from vae.figures.maps import dots, maps
from vae.figures.style import COLORS, save_figure

NAMES = np.array(list("0123456789"))


def test_maps_show_every_point_in_the_colour_of_its_class() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10, dtype=np.uint8), 3)
    places = {"one": rng.normal(size=(30, 2)), "two": rng.normal(size=(30, 2))}
    figure = maps(places, labels, NAMES)
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    for axes, points in zip(figure.axes, places.values(), strict=True):
        dots = axes.collections[0]
        drawn = {
            tuple(place): colors.to_hex(color)
            for place, color in zip(dots.get_offsets(), dots.get_facecolor(), strict=True)
        }
        assert drawn == {tuple(place): COLORS[label].lower() for place, label in zip(points, labels, strict=True)}
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(NAMES)


def test_long_titles_are_broken() -> None:
    title = "t-SNE of the test images: 5-NN accuracy 0.94, trustworthiness 0.98"
    figure = maps({title: np.zeros((1, 2))}, np.zeros(1, np.uint8), NAMES)
    assert figure.axes[0].get_title() == "t-SNE of the test images: 5-NN accuracy 0.94,\ntrustworthiness 0.98"


@pytest.mark.parametrize(("count", "size", "alpha"), [(80, 12, 0.7), (10_000, 4, 0.7), (70_000, 1, 0.3)])
def test_more_dots_are_smaller_and_more_transparent(count: int, size: float, alpha: float) -> None:
    assert dots(count) == (size, alpha)


def test_dots_are_drawn_in_their_size_and_opacity() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 2))
    figure = maps({"one": points}, np.zeros(20_000, np.uint8), NAMES)
    drawn = figure.axes[0].collections[0]
    assert set(drawn.get_sizes()) == {2}
    assert set(drawn.get_facecolor()[:, 3]) == {0.35}


@pytest.mark.slow
def test_seventy_thousand_dots_take_less_than_a_megabyte(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 70_000).astype(np.uint8)
    places = {
        name: rng.normal(size=(10, 2))[labels] * 20 + rng.normal(size=(70_000, 2)) * spread
        for name, spread in (("one", 6), ("two", 2))
    }
    save_figure(tmp_path / "maps.png", maps(places, labels, NAMES), levels=16)
    assert (tmp_path / "maps.png").stat().st_size < 10**6
