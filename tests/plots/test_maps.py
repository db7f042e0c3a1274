from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.collections import PathCollection

from vae.plots.maps import dots, maps, with_room
from vae.plots.style import COLORS, class_colors, save_figure


@pytest.mark.parametrize("classes", [10, 20])
def test_maps_show_every_point_in_the_colour_of_its_class(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes, dtype=np.uint8), 3)
    names = np.array([f"class {k}" for k in range(classes)])
    places = {title: rng.normal(size=(3 * classes, 2)) for title in ("one", "two")}
    figure = maps(places, labels, names)
    palette = class_colors(classes)
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    for axes, points in zip(figure.axes, places.values(), strict=True):
        (scatter, *_) = axes.collections
        offsets, rgba = np.asarray(scatter.get_offsets()), np.asarray(scatter.get_facecolor())
        drawn = {tuple(place): colors.to_hex(tuple(color)) for place, color in zip(offsets, rgba, strict=True)}
        assert drawn == {tuple(place): palette[label].lower() for place, label in zip(points, labels, strict=True)}
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names.tolist()


def test_only_classes_with_points_are_named_at_their_median() -> None:
    points = np.array([[0.0, 0], [1, 5], [2, 1], [9, 9]])
    figure = maps({"one": points}, np.array([0, 0, 0, 2], np.uint8), np.array(["a", "b", "c"]))
    names = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert names == {"a": (1, 1), "c": (9, 9)}


def test_long_titles_are_wrapped() -> None:
    title = "t-SNE of the test images: 5-NN accuracy 0.94, trustworthiness 0.98"
    figure = maps({title: np.zeros((1, 2))}, np.zeros(1, np.uint8), np.array(["0"]))
    assert figure.axes[0].get_title() == "t-SNE of the test images: 5-NN accuracy 0.94,\ntrustworthiness 0.98"


@pytest.mark.parametrize(("count", "size", "alpha"), [(80, 12, 0.7), (10_000, 4, 0.7), (70_000, 1, 0.3)])
def test_more_dots_are_smaller_and_more_transparent(count: int, size: float, alpha: float) -> None:
    assert dots(count) == (size, alpha)


def test_dots_are_drawn_in_their_size_and_opacity() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 2))
    figure = maps({"one": points}, np.zeros(20_000, np.uint8), np.array(["0"]))
    drawn = figure.axes[0].collections[0]
    assert isinstance(drawn, PathCollection)
    assert set(drawn.get_sizes()) == {2}
    assert set(np.asarray(drawn.get_facecolor())[:, 3]) == {0.35}


@pytest.mark.slow
def test_seventy_thousand_dots_take_less_than_a_megabyte(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 70_000).astype(np.uint8)
    places = {
        name: rng.normal(size=(10, 2))[labels] * 20 + rng.normal(size=(70_000, 2)) * spread
        for name, spread in (("one", 6), ("two", 2))
    }
    save_figure(tmp_path / "maps.png", maps(places, labels, np.arange(10).astype(str)), levels=16)
    assert (tmp_path / "maps.png").stat().st_size < 10**6


@pytest.mark.parametrize(("classes", "named"), [(21, 20), (1000, 20)])
def test_many_classes_have_a_scale_of_colours_with_some_names(classes: int, named: int) -> None:
    labels = np.arange(classes, dtype=np.uint16)
    points = np.random.default_rng(0).normal(size=(classes, 2))
    figure = maps({"one": points, "two": points}, labels, np.array([f"class {k}" for k in labels]))
    assert not figure.legends
    *groups, bar = figure.axes
    assert all(not axes.texts for axes in groups)
    texts = [label.get_text() for label in bar.get_yticklabels()]
    assert (len(texts), texts[0], texts[-1]) == (named, "class 0", f"class {classes - 1}")
    assert bar.get_ylabel() == f"classes by number; {named} of {classes:,} are named"
    (scatter,) = groups[0].collections
    assert len({tuple(color) for color in np.asarray(scatter.get_facecolor())}) > 0.2 * classes


def test_points_without_labels_have_one_colour_and_no_legend() -> None:
    figure = maps({"one": np.random.default_rng(0).normal(size=(50, 2))}, None, np.array([], str))
    (axes,) = figure.axes
    (scatter,) = axes.collections
    assert len(np.asarray(scatter.get_offsets())) == 50
    assert {colors.to_hex(tuple(color)) for color in np.asarray(scatter.get_facecolor())} == {COLORS[0].lower()}
    assert not figure.legends
    assert not axes.texts


def test_a_name_that_would_cover_that_of_a_larger_class_is_left_out() -> None:
    centers = {0: np.array([0.0, 0]), 1: np.array([5.0, 0.5]), 2: np.array([5.0, 3]), 3: np.array([40.0, 0])}
    counts = np.array([3, 5, 1, 1])
    assert with_room(centers, counts, ["first name", "second name", "third name", "4"], 1.0) == [1, 2, 3]
    assert with_room(centers, counts, ["1", "2", "3", "4"], 1.0) == [0, 1, 2, 3]


def test_long_names_neither_overlap_nor_leave_the_figure() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20, dtype=np.uint8), 30)
    points = 6 * rng.normal(size=(20, 2))[labels] + rng.normal(size=(600, 2))
    figure = maps(
        {"one": points}, labels, np.array([f"{k} of a name with as many as 40 characters {k}" for k in range(20)])
    )
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) > 5
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1
    assert figure.axes[0].get_window_extent().width > 4.5 * figure.dpi
