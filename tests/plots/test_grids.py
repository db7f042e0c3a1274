from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.evaluation.latent_moments import Moments
from vae.plots import grids
from vae.plots.names import labels

Noise = Callable[..., NDArray[np.float32]]
Dimensions = Callable[..., pd.DataFrame]


def tiles(axes: Axes, layer: int = 0) -> NDArray[np.float32]:
    """Return the images (rows, columns, 8, 6) in one layer of a mosaic."""
    joined: NDArray[np.float32] = np.ma.filled(np.ma.asarray(axes.images[layer].get_array()), np.nan)
    return joined.reshape(joined.shape[0] // 8, 8, -1, 6).swapaxes(1, 2)


def labels_below(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def labels_left(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.fixture(scope="module")
def reconstructions(noise: Noise) -> Figure:
    images = noise(3, 2)
    losses = np.array([[10.04, 20], [30, 40], [50, 60.06]])
    return grids.reconstructions(images, images**2, losses, ["cat", "dog"], 31.255)


def test_reconstructions_show_original_reconstruction_and_error(reconstructions: Figure, noise: Noise) -> None:
    images = noise(3, 2)[..., 0]
    for group, axes in enumerate(reconstructions.axes[:3]):
        grey, colored = tiles(axes), tiles(axes, 1)
        np.testing.assert_array_equal(grey[0], images[group])
        np.testing.assert_array_equal(grey[1], images[group] ** 2)
        np.testing.assert_allclose(colored[2], images[group] - images[group] ** 2, atol=1e-7)
        assert np.isnan(grey[2]).all()
        assert np.isnan(colored[:2]).all()


def test_reconstructions_are_labelled_with_class_group_and_loss(reconstructions: Figure) -> None:
    groups = reconstructions.axes[:3]
    assert [axes.get_ylabel() for axes in groups] == ["best", "median", "worst"]
    assert [labels_below(axes) for axes in groups] == [["10.0", "20.0"], ["30.0", "40.0"], ["50.0", "60.1"]]
    assert all(labels_left(axes) == ["original", "reconstruction", "error"] for axes in groups)
    (top,) = groups[0].child_axes
    assert [label.get_text() for label in top.get_xticklabels()] == ["cat", "dog"]
    assert reconstructions.get_suptitle().endswith("the mean of all test images is 31.25")


def test_reconstructions_of_few_classes_have_room_for_the_title(reconstructions: Figure) -> None:
    reconstructions.draw_without_rendering()
    title = reconstructions.texts[0].get_window_extent()
    assert 0 < title.x0 < title.x1 < reconstructions.bbox.width


def test_the_error_has_a_colour_bar(reconstructions: Figure) -> None:
    bar = reconstructions.axes[3]
    assert bar.get_ylim() == (0, 1)
    assert bar.get_ylabel() == "absolute error of a pixel in [0, 1]"
    assert reconstructions.axes[0].images[1].get_cmap().name == "magma_r"


def test_reconstructions_of_rgb_images_show_the_mean_error_of_the_channels() -> None:
    black = np.zeros((3, 1, 8, 6, 3), "float32")
    orange = black + np.array([0.5, 0.25, 0], "float32")
    figure = grids.reconstructions(black, orange, np.ones((3, 1)), ["cat"], 1.0)
    np.testing.assert_allclose(tiles(figure.axes[0], 1)[2], 0.25)


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (7, 3, 3), (100, 10, 10)])
def test_all_samples_are_shown_once_and_nothing_else(count: int, rows: int, columns: int, noise: Noise) -> None:
    images = noise(count)
    figure = grids.samples(images, "samples")
    shown = tiles(figure.axes[0])
    assert shown.shape[:2] == (rows, columns)
    flat = shown.reshape(-1, 8, 6)
    np.testing.assert_array_equal(flat[:count], images[..., 0])
    assert np.isnan(flat[count:]).all()
    assert figure.get_suptitle() == "samples"


def test_traversals_have_one_dimension_per_row_and_one_value_per_column(noise: Noise, dimensions: Dimensions) -> None:
    images = noise(2, 3)
    figure = grids.traversals(images, np.array([-1.5, 0.0, 3.0]), dimensions([2.0, 0.5]))
    (axes,) = figure.axes
    np.testing.assert_array_equal(tiles(axes), images[..., 0])
    assert labels_below(axes) == ["−1.5", "0", "3"]
    assert labels_left(axes) == ["$z_{1}$: KL 2.00 nats", "$z_{0}$: KL 0.50 nats"]
    title = "One latent dimension a row, largest KL first: from z = −1.5 to 3, the others at zero"
    assert figure.get_suptitle() == title


def test_traversals_of_some_dimensions_name_the_number_of_all(noise: Noise, dimensions: Dimensions) -> None:
    table = dimensions([2.0, 1.625, 1.25, 0.875, 0.5])
    figure = grids.traversals(noise(2, 2), np.array([-3.0, 3.0]), table)
    assert "the 2 of 5 with the largest KL" in figure.get_suptitle()
    assert labels_left(figure.axes[0]) == ["$z_{4}$: KL 2.00 nats", "$z_{3}$: KL 1.62 nats"]


@pytest.mark.parametrize("kl", [2.0, 123.45])
@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize("is_prior", [True, False])
def test_the_texts_of_traversals_have_room(
    noise: Noise, dimensions: Dimensions, kl: float, count: int, is_prior: bool
) -> None:
    figure = grids.traversals(noise(2, 13), np.linspace(-3, 3, 13), dimensions([kl] * count), is_prior=is_prior)
    figure.draw_without_rendering()
    assert min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels()) >= 0
    title = figure.texts[0].get_window_extent()
    assert 0 < title.x0 < title.x1 < figure.bbox.width


def test_traversals_under_a_learned_prior_are_around_the_means(noise: Noise, dimensions: Dimensions) -> None:
    figure = grids.traversals(noise(2, 3), np.array([-3.0, 0.0, 3.0]), dimensions([2.0, 0.5]), is_prior=False)
    (axes,) = figure.axes
    assert labels_below(axes) == ["−3", "0", "3"]
    assert axes.get_xlabel() == "standard deviations from the mean of the dimension"
    assert figure.get_suptitle().endswith(
        "\nfrom −3 to 3 standard deviations from its mean over the images, the others at their means"
    )


def test_interpolations_are_between_their_originals(noise: Noise) -> None:
    images = noise(2, 5)
    figure = grids.interpolations(images[:, 0], images[:, 1:4], images[:, 4], ["0 → 1", "2 → 3"])
    (axes,) = figure.axes
    np.testing.assert_array_equal(tiles(axes), images[..., 0])
    assert labels_below(axes) == ["original", "0%", "50%", "100%", "original"]
    assert labels_left(axes) == ["0 → 1", "2 → 3"]
    assert [np.asarray(line.get_xdata())[0] for line in axes.lines] == [0.5, 3.5]
    assert "straight line from one posterior mean" in figure.get_suptitle()


@pytest.mark.parametrize(("latent_dim", "title"), [(2, "both latent dim"), (7, "the two of 7 latent dimensions with")])
def test_the_plane_grows_to_the_right_and_upwards(latent_dim: int, title: str, noise: Noise) -> None:
    images = noise(3, 3)
    figure = grids.manifold(images, np.array([-1.25, 0.0, 1.25]), [4, 1], Moments.of_standard_prior(latent_dim))
    (axes,) = figure.axes
    np.testing.assert_array_equal(tiles(axes), images[..., 0])
    assert axes.get_ylim() == (-0.5, 2.5)  # row 0 at the bottom
    assert labels_below(axes) == labels_left(axes) == ["−1.2", "0.0", "1.2"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$z_{4}$", "$z_{1}$")
    assert title in figure.get_suptitle()
    assert ("the others at zero" in figure.get_suptitle()) == (latent_dim > 2)


def test_the_plane_under_a_learned_prior_names_the_means_and_standard_deviations(noise: Noise) -> None:
    moments = Moments(np.array([0, -1.254, 0, 0, 12.0]), np.array([1, 0.5, 1, 1, 2.75]))
    figure = grids.manifold(noise(3, 3), np.array([-1.25, 0.0, 1.25]), [4, 1], moments)
    (axes,) = figure.axes
    assert labels_below(axes) == labels_left(axes) == ["−1.2", "0.0", "1.2"]
    assert axes.get_xlabel() == "$z_{4}$ in standard deviations (2.75) from its mean (12)"
    assert axes.get_ylabel() == "$z_{1}$ in standard deviations (0.5) from its mean (−1.25)"
    assert "the others at their means,\n" in figure.get_suptitle()
    assert "N(0, 1)" not in figure.get_suptitle()


def test_negative_losses_have_minus_signs(noise: Noise) -> None:
    losses = np.array([[-1234.56], [-0.01], [-2_345_678.9]])
    figure = grids.reconstructions(noise(3, 1), noise(3, 1), losses, ["cat"], -31.255)
    assert [labels_below(axes) for axes in figure.axes[:3]] == [["−1234.6"], ["0.0"], ["−2345679"]]
    assert figure.get_suptitle().endswith("is −31.25")


def test_one_dimension_is_drawn_as_a_line(noise: Noise) -> None:
    figure = grids.manifold(noise(1, 3), np.array([-1.0, 0.0, 1.0]), [0], Moments.of_standard_prior(1))
    (axes,) = figure.axes
    assert tiles(axes).shape[:2] == (1, 3)
    assert labels_below(axes) == ["−1.0", "0.0", "1.0"]
    assert labels_left(axes) == []
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$z_{0}$", "")
    assert figure.get_suptitle().startswith("The line of the only latent dimension,")


@pytest.mark.parametrize(
    ("total", "title"), [(2, "One class a row, and one draw"), (1000, "One of 2 of 1,000 classes a row, and one draw")]
)
def test_samples_of_classes_have_one_class_per_row(total: int, title: str, noise: Noise) -> None:
    images = noise(2, 3)
    figure = grids.samples_of_classes(images, ["cat", "a very long name"], total)
    (axes,) = figure.axes
    np.testing.assert_array_equal(tiles(axes), images[..., 0])
    assert labels_left(axes) == ["cat", "a very long name"]
    assert figure.get_suptitle().startswith(title)
    figure.draw_without_rendering()
    boxes = [*(label.get_window_extent() for label in axes.get_yticklabels()), figure.texts[0].get_window_extent()]
    assert min(box.x0 for box in boxes) >= 0
    assert boxes[-1].x1 <= figure.bbox.width


def test_walks_of_a_conditional_model_name_their_class(noise: Noise, dimensions: Dimensions) -> None:
    walks = grids.traversals(noise(1, 2), np.array([-1.0, 1.0]), dimensions([2.0]), of_class="cat")
    plane = grids.manifold(noise(2, 2), np.array([-1.0, 1.0]), [0, 1], Moments.of_standard_prior(2), of_class="cat")
    for figure in (walks, plane):
        assert figure.get_suptitle().endswith("; class cat")


def test_reconstructions_without_classes_have_no_names_above_them(noise: Noise) -> None:
    images = noise(3, 2)
    figure = grids.reconstructions(images, images, np.ones((3, 2)), [], 1.0, "test images")
    assert figure.get_suptitle().startswith("Best, median and worst test images, reconstructed")
    assert all(not axes.child_axes for axes in figure.axes)


def test_long_names_above_reconstructions_do_not_overlap() -> None:
    images = np.zeros((3, 12, 28, 28, 3), "float32")
    names = labels(np.array([f"{k}_species of a long_named genus of {k} orchids" for k in range(12)]), 8, lines=3)
    figure = grids.reconstructions(images, images, np.ones((3, 12)), names, 1.0)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].child_axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize(("size", "steps"), [(28, 20), (64, 20), (65, 10), (256, 10)])
def test_the_plane_of_large_images_has_fewer_and_larger_tiles(size: int, steps: int) -> None:
    assert grids.manifold_steps((8, size, 3)) == steps
    images = np.zeros((steps, steps, size, size, 1), "float32")
    figure = grids.manifold(images, np.linspace(-1, 1, steps), [0, 1], Moments.of_standard_prior(2))
    assert figure.get_size_inches().tolist() == pytest.approx([8.8, 9.15])
