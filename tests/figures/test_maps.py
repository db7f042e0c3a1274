import numpy as np
from matplotlib import colors

from vae.figures.maps import maps
from vae.figures.style import COLORS

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
