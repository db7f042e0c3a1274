from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.plots.mosaic import INK, PHOTO, TILE, grey_colors, mosaic, tile, tile_size


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
    tile(axes, np.zeros((2, 3, 6, 4, 1)), "gray_r")
    assert axes.get_aspect() == 1.5  # a tile is one unit wide and one high, and its image 1.5 times as high as wide


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


@pytest.mark.parametrize("shape", [(12, 4), (4, 12), (256, 8), (9, 5), (33, 47)])
def test_a_tile_has_the_proportions_of_its_image_with_margins_if_that_is_long(shape: tuple[int, int]) -> None:
    axes = Figure().subplots()
    drawn = np.asarray(tile(axes, np.ones((2, 3, *shape, 1)), "gray_r").get_array())
    height, width = drawn.shape[0] // 2, drawn.shape[1] // 3
    assert height / width == axes.get_aspect()
    assert height / width == pytest.approx(np.clip(shape[0] / shape[1], 1 / 1.5, 1.5), rel=0.15)
    opaque = ~np.isnan(np.ma.filled(np.ma.asarray(drawn), np.nan))
    assert opaque.sum() == 6 * np.prod(shape)
    top, left = (height - shape[0]) // 2, (width - shape[1]) // 2
    assert opaque[top : top + shape[0], left : left + shape[1]].all()


def test_no_tile_is_narrower_than_a_square_one() -> None:
    for shape, size in (((28, 28, 1), (1, 1)), ((100, 50, 3), (1, 1.5)), ((40, 90, 3), (1.5**0.5, 1.5**-0.5))):
        assert tile_size(np.zeros((2, *shape))) == pytest.approx(np.multiply(size, TILE))
    assert tile_size(np.zeros((1, 8, 8, 1)), 0.4) == pytest.approx((0.4, 0.4))


@pytest.mark.parametrize(("size", "smooth"), [(8, "nearest"), (28, "nearest"), (64, "auto"), (256, "auto")])
def test_the_pixels_of_small_images_are_seen(size: int, smooth: str) -> None:
    assert tile(Figure().subplots(), np.zeros((1, 1, size, size, 3)), "gray_r").get_interpolation() == smooth


def test_drawings_on_an_empty_ground_are_dark_on_white_and_photographs_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = np.random.default_rng(0).uniform(0.1, 1, (2, 8, 8, 1)).astype("float32")
    drawing = photo * (np.indices((8, 8)).sum(axis=0) % 3 > 0)[:, :, np.newaxis]
    bars = photo * (np.arange(8) < 4)[:, np.newaxis]
    assert grey_colors(photo) == grey_colors(bars) == PHOTO
    assert grey_colors(drawing) == INK
    monkeypatch.setattr("vae.plots.mosaic.LOOKED_AT", 3 * 64)
    assert grey_colors(np.concatenate([drawing[:1], photo, photo, drawing[:1], photo[:1]])) == PHOTO
    assert grey_colors(np.concatenate([drawing[:1], photo[:1], drawing[:1], photo[:1], drawing[:1]])) == INK
    axes = Figure().subplots()
    mosaic(axes, np.array([0.0, 1.0]).reshape(1, 2, 1, 1, 1), grey=PHOTO)
    assert axes.images[0].get_cmap()(0.0) == (0, 0, 0, 1)
