import numpy as np
import pytest
from matplotlib.figure import Figure

from vae.errors import InputError
from vae.figures import grids

NAMES = np.array(list("0123456789"))


def shown(figure: Figure) -> list[np.ndarray]:
    """The images in a figure, in the order of its axes."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_the_first_images_of_each_class_are_found() -> None:
    labels = np.array([1, 0, 1, 1, 0, 0], np.uint8)
    assert grids.first_of_each_class(labels, 2).tolist() == [1, 4, 0, 2]


def test_more_images_than_the_rarest_class_has_are_refused() -> None:
    with pytest.raises(InputError, match=r"^visualize\.reconstructions_per_class is 3, but must be at most 2: "):
        grids.first_of_each_class(np.array([0, 1, 0, 1, 0], np.uint8), 3)


def test_reconstructions_stand_below_their_originals_in_the_column_of_their_class() -> None:
    images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype("float32")
    figure = grids.reconstructions(images, 1 - images, NAMES)
    cells = np.array(shown(figure)).reshape(4, 10, 28, 28)
    for k in range(2):
        np.testing.assert_array_equal(cells[2 * k], images[k::2, ..., 0])
        np.testing.assert_array_equal(cells[2 * k + 1], 1 - images[k::2, ..., 0])
    assert [axes.get_title() for axes in figure.axes[:10]] == list(NAMES)


@pytest.mark.parametrize("count", [1, 7, 100])
def test_samples_are_all_shown_once(count: int) -> None:
    images = np.random.default_rng(0).uniform(size=(count, 28, 28, 1)).astype("float32")
    np.testing.assert_array_equal(shown(grids.samples(images, "samples")), images[..., 0])
