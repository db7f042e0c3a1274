from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors
from matplotlib.figure import Figure
from PIL import Image

from vae import figures
from vae.errors import InputError

NAMES = np.array(list("0123456789"))


def shown(figure: Figure) -> list[np.ndarray]:
    """The images in a figure, in the order of its axes."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_maps_show_every_point_in_the_colour_of_its_class() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10, dtype=np.uint8), 3)
    places = {"one": rng.normal(size=(30, 2)), "two": rng.normal(size=(30, 2))}
    figure = figures.maps(places, labels, NAMES)
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    for axes, points in zip(figure.axes, places.values(), strict=True):
        dots = axes.collections[0]
        drawn = {
            tuple(place): colors.to_hex(color)
            for place, color in zip(dots.get_offsets(), dots.get_facecolor(), strict=True)
        }
        assert drawn == {
            tuple(place): figures.COLORS[label].lower() for place, label in zip(points, labels, strict=True)
        }
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(NAMES)


def test_ten_colours_are_distinct() -> None:
    assert len(set(figures.COLORS)) == 10


def test_the_first_images_of_each_class_are_found() -> None:
    labels = np.array([1, 0, 1, 1, 0, 0], np.uint8)
    assert figures.first_of_each_class(labels, 2).tolist() == [1, 4, 0, 2]


def test_more_images_than_the_rarest_class_has_are_refused() -> None:
    with pytest.raises(InputError, match=r"^visualize\.reconstructions_per_class is 3, but must be at most 2: "):
        figures.first_of_each_class(np.array([0, 1, 0, 1, 0], np.uint8), 3)


def test_reconstructions_stand_below_their_originals_in_the_column_of_their_class() -> None:
    images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype("float32")
    figure = figures.reconstructions(images, 1 - images, NAMES)
    cells = np.array(shown(figure)).reshape(4, 10, 28, 28)
    for k in range(2):
        np.testing.assert_array_equal(cells[2 * k], images[k::2, ..., 0])
        np.testing.assert_array_equal(cells[2 * k + 1], 1 - images[k::2, ..., 0])
    assert [axes.get_title() for axes in figure.axes[:10]] == list(NAMES)


@pytest.mark.parametrize("count", [1, 7, 100])
def test_samples_are_all_shown_once(count: int) -> None:
    images = np.random.default_rng(0).uniform(size=(count, 28, 28, 1)).astype("float32")
    np.testing.assert_array_equal(shown(figures.samples(images, "samples")), images[..., 0])


def test_training_curves_mark_the_best_epoch() -> None:
    history = pd.DataFrame({"epoch": [1, 2, 3]})
    for k, name in enumerate(("loss", "reconstruction", "kl")):
        history[name] = [9.0 + k, 8.0, 7.0]
        history[f"val_{name}"] = [9.5 + k, 7.25, 8.0]
    figure = figures.training_curves(history)
    assert [axes.get_title() for axes in figure.axes] == ["Loss (−ELBO)", "Reconstruction", "KL"]
    for axes, name in zip(figure.axes, ("loss", "reconstruction", "kl"), strict=True):
        training, validation, mark = axes.lines
        assert list(training.get_ydata()) == history[name].tolist()
        assert list(validation.get_ydata()) == history[f"val_{name}"].tolist()
        assert list(mark.get_xdata()) == [2, 2]
        assert mark.get_label() == "kept: epoch 2, validation 7.25"


def test_saved_figure_is_a_png_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    image = np.random.default_rng(0).uniform(size=(4, 28, 28, 1)).astype("float32")
    for name in ("a.png", "b.png"):
        figures.save_figure(tmp_path / name, figures.samples(image, "samples"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
        assert round(picture.info["dpi"][0]) == 150
