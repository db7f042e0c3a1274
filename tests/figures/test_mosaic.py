import numpy as np
from matplotlib.figure import Figure

from vae.figures.mosaic import mosaic, tile


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


def test_ink_is_dark_and_paper_white() -> None:
    axes = Figure().subplots()
    mosaic(axes, np.array([0.0, 1.0]).reshape(1, 2, 1, 1, 1))
    (picture,) = axes.images
    assert picture.to_rgba(picture.get_array())[0].tolist() == [[1, 1, 1, 1], [0, 0, 0, 1]]


def test_labels_stand_at_the_tiles() -> None:
    axes = Figure().subplots()
    mosaic(axes, np.zeros((2, 3, 4, 4, 1)), ("a", "b", "c"), ("up", "down"))
    assert [(label.get_position()[0], label.get_text()) for label in axes.get_xticklabels()] == [
        (0, "a"),
        (1, "b"),
        (2, "c"),
    ]
    assert [(label.get_position()[1], label.get_text()) for label in axes.get_yticklabels()] == [(0, "up"), (1, "down")]


def test_a_missing_image_is_transparent() -> None:
    picture = tile(Figure().subplots(), np.array([np.nan, 1.0]).reshape(1, 2, 1, 1, 1), "magma_r")
    assert picture.to_rgba(np.ma.masked_invalid(picture.get_array()))[0, :, 3].tolist() == [0, 1]
