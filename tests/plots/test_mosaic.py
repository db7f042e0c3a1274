from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.plots.mosaic import mosaic, tile


def rgba(images: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return the colours of the pixels of `tile`."""
    picture = tile(Figure().subplots(), images, "gray_r")
    return np.asarray(picture.to_rgba(np.asarray(picture.get_array())))


def test_each_image_is_a_tile_around_its_column_and_row() -> None:
    images = np.random.default_rng(0).uniform(size=(2, 3, 4, 5, 1))
    axes = Figure().subplots()
    mosaic(axes, images)
    (picture,) = axes.images
    drawn = np.asarray(picture.get_array())
    assert drawn.shape == (2 * 4, 3 * 5)
    np.testing.assert_array_equal(drawn[4:8, 10:15], images[1, 2, ..., 0])
    np.testing.assert_array_equal(drawn[:4, 5:10], images[0, 1, ..., 0])
    assert tuple(picture.get_extent()) == (-0.5, 2.5, 1.5, -0.5)


def test_pixels_are_square() -> None:
    axes = Figure().subplots()
    tile(axes, np.zeros((2, 3, 8, 4, 1)), "gray_r")
    assert axes.get_aspect() == 2  # a tile is one unit wide and one high, and its image twice as high as wide


def test_grey_images_are_dark_on_white() -> None:
    assert rgba(np.array([0.0, 1.0]).reshape(1, 2, 1, 1, 1))[0].tolist() == [[1, 1, 1, 1], [0, 0, 0, 1]]


def test_images_of_three_channels_are_drawn_in_their_colours() -> None:
    images = np.array([[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]).reshape(1, 2, 1, 1, 3)
    assert rgba(images)[0].tolist() == [[1, 0.5, 0, 1], [0, 0, 1, 1]]


def test_labels_are_at_their_tiles() -> None:
    axes = Figure().subplots()
    mosaic(axes, np.zeros((2, 3, 4, 4, 1)), ("a", "b", "c"), ("up", "down"))
    columns = [(label.get_position()[0], label.get_text()) for label in axes.get_xticklabels()]
    rows = [(label.get_position()[1], label.get_text()) for label in axes.get_yticklabels()]
    assert columns == [(0, "a"), (1, "b"), (2, "c")]
    assert rows == [(0, "up"), (1, "down")]


def test_a_blank_tile_is_transparent() -> None:
    grey = tile(Figure().subplots(), np.array([np.nan, 1.0]).reshape(1, 2, 1, 1, 1), "magma_r")
    assert grey.to_rgba(np.ma.masked_invalid(np.asarray(grey.get_array())))[0, :, 3].tolist() == [0, 1]
    colored = rgba(np.array([[np.nan] * 3, [1.0] * 3]).reshape(1, 2, 1, 1, 3))
    assert colored[0, :, 3].tolist() == [0, 1]
