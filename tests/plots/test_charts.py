from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from vae.history import kept_epoch
from vae.model.objectives import elbo
from vae.plots import charts
from vae.plots.style import COLORS

Dimensions = Callable[..., pd.DataFrame]


def bars(axes: Axes) -> list[Rectangle]:
    """Return the bars in the axes, from left to right."""
    groups = [group for group in axes.containers if isinstance(group, BarContainer)]
    return sorted((bar for group in groups for bar in group.patches), key=Rectangle.get_x)


def test_the_loss_has_the_name_of_the_objective() -> None:
    assert charts.NEGATIVE_ELBO == elbo.NEGATIVE_ELBO


def test_training_curves_mark_the_best_epoch_and_name_its_metrics() -> None:
    history = pd.DataFrame({"epoch": [1, 2, 3]})
    for k, name in enumerate(("loss", "reconstruction", "kl")):
        history[name] = [9.0 + k, 8.0, 7.0]
        history[f"val_{name}"] = [9.5 + k, 7.25 + k, 8.0]
    figure = charts.training_curves(history, kept_epoch(history))
    assert figure.get_suptitle() == "Training: the weights of epoch 2 of 3 are kept"
    assert [axes.get_title() for axes in figure.axes] == [
        "Loss (−ELBO): validation 7.25 nats",
        "Reconstruction: validation 8.25 nats",
        "KL: validation 9.25 nats",
    ]
    for axes, name in zip(figure.axes, ("loss", "reconstruction", "kl"), strict=True):
        training, validation, mark = axes.lines
        assert np.asarray(training.get_ydata()).tolist() == history[name].tolist()
        assert np.asarray(validation.get_ydata()).tolist() == history[f"val_{name}"].tolist()
        assert np.asarray(mark.get_xdata()).tolist() == [2, 2]
        assert mark.get_label() == "kept: epoch 2"


def history(**columns: list[float]) -> pd.DataFrame:
    """Return a history of three epochs with these columns, and all others at one."""
    return pd.DataFrame(dict.fromkeys(charts.HISTORY_COLUMNS, 1.0) | {"epoch": [1, 2, 3]} | columns)


def legend(axes: Axes) -> list[str]:
    drawn = axes.get_legend()
    assert drawn
    return [text.get_text() for text in drawn.get_texts()]


def test_a_training_loss_that_is_not_the_elbo_has_its_name_in_the_first_chart_only() -> None:
    loss, *others = charts.training_curves(history(), history().iloc[0], "importance-weighted, k = 5").axes
    assert legend(loss) == ["training: importance-weighted,\nk = 5", "validation: −ELBO", "kept: epoch 1"]
    assert all(legend(axes) == ["training", "validation", "kept: epoch 1"] for axes in others)


def test_the_epochs_of_a_warmup_are_shaded_and_none_of_them_is_kept() -> None:
    table = history(val_loss=[1.0, 2.0, 3.0], beta=[0.4, 0.8, 1.0])
    figure = charts.training_curves(table, kept_epoch(table))
    assert figure.get_suptitle() == "Training: the weights of epoch 3 of 3 are kept"
    for axes in figure.axes:
        (shade,) = (patch for patch in axes.patches if isinstance(patch, Rectangle))
        assert (shade.get_x(), shade.get_x() + shade.get_width()) == (0.5, 2.5)
        assert legend(axes)[-1] == "warm-up of the KL"
    table = history(beta=[1.0, 1.0, 1.0])
    within_the_first_epoch = charts.training_curves(table, kept_epoch(table))
    assert not any(axes.patches for axes in within_the_first_epoch.axes)


def test_the_unit_of_a_density_is_that_of_the_loss_and_the_reconstruction_but_not_of_the_kl() -> None:
    table = history(val_loss=[-1.0, -2e6, -3.5e6])
    figure = charts.training_curves(table, kept_epoch(table), unit="nats per image of a density on [0, 1]")
    assert [axes.get_ylabel() for axes in figure.axes] == [
        *["nats per image\nof a density on [0, 1]"] * 2,
        "nats per image",
    ]
    assert figure.axes[0].get_title() == "Loss (−ELBO): validation −3500000 nats"
    figure.draw_without_rendering()
    assert "−3000000" in [label.get_text() for label in figure.axes[0].get_yticklabels()]


@pytest.mark.parametrize("count", [1, 10, 32])
def test_the_title_says_to_what_the_kl_is_taken(dimensions: Dimensions, count: int) -> None:
    figure = charts.kl_per_dimension(dimensions([2.5] * count), is_prior=False)
    first, second = figure.get_suptitle().splitlines()
    assert first == "KL of each dimension to a Gaussian with its mean and variance, not to the prior:"
    assert second == f"{2.5 * count:.2f} nats per image in all, {count} of {count} latent dimensions active"
    (text,) = figure.legends[0].get_texts()
    assert text.get_text() == "active: variance of the means over the images above 0.01 of the variance of z"
    figure.draw_without_rendering()
    title = figure.texts[0].get_window_extent()
    assert 0 < title.x0 < title.x1 < figure.bbox.width


def test_each_dimension_has_a_bar_with_its_kl_and_standard_error(dimensions: Dimensions) -> None:
    figure = charts.kl_per_dimension(dimensions([2.5, 1.25, 0.0], [True, True, False]))
    (axes,) = figure.axes
    assert [bar.get_height() for bar in bars(axes)] == [2.5, 1.25, 0]
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars(axes)] == pytest.approx([0, 1, 2])
    assert [text.get_text() for text in axes.texts] == ["2.50", "1.25", "0.00"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["$z_{2}$", "$z_{1}$", "$z_{0}$"]
    errors = (lines for lines in axes.collections if isinstance(lines, LineCollection))
    ends = np.concatenate([lines.get_segments() for lines in errors])[:, :, 1]
    np.testing.assert_allclose(ends, [[2.4, 2.6], [1.15, 1.35], [-0.1, 0.1]])
    assert figure.get_suptitle() == "KL: 3.75 nats per image in all, 2 of 3 latent dimensions active"


def test_inactive_dimensions_differ_by_colour_and_hatching_and_have_a_cross(dimensions: Dimensions) -> None:
    figure = charts.kl_per_dimension(dimensions([2.0, 0.5, 0.25], [True, False, True]))
    (axes,) = figure.axes
    looks = [(colors.to_hex(bar.get_edgecolor()), bar.get_hatch() or "") for bar in bars(axes)]
    assert looks == [(COLORS[2].lower(), ""), (COLORS[7].lower(), "////"), (COLORS[2].lower(), "")]
    (crosses,) = (line for line in axes.lines if line.get_marker() == "x")
    assert np.asarray(crosses.get_xdata()).tolist() == [1]
    (legend,) = figure.legends
    assert [text.get_text().partition(":")[0] for text in legend.get_texts()] == ["active", "× inactive (collapsed)"]


@pytest.mark.parametrize(("active", "label"), [(True, "active"), (False, "× inactive")])
def test_the_legend_names_only_what_is_drawn(dimensions: Dimensions, active: bool, label: str) -> None:
    (legend,) = charts.kl_per_dimension(dimensions([1.0], active)).legends
    (text,) = legend.get_texts()
    assert text.get_text().startswith(label)


def test_the_scale_does_not_magnify_a_collapsed_model(dimensions: Dimensions) -> None:
    (axes,) = charts.kl_per_dimension(dimensions([1e-4] * 3, False)).axes
    assert axes.get_ylim() == pytest.approx((0, 0.112))


def test_many_bars_have_no_values(dimensions: Dimensions) -> None:
    count = charts.LABELLED_BARS + 1
    (axes,) = charts.kl_per_dimension(dimensions([1.0] * count)).axes
    assert len(bars(axes)) == count
    assert not axes.texts
    assert axes.get_xlabel() == "latent dimensions by rank, largest KL first"


def test_histogram_counts_every_image_in_its_bin() -> None:
    losses = np.array([0.0, 1, 1, 8])
    table = charts.loss_histogram(losses)  # Freedman & Diaconis: width 2 * 2 / 4^(1/3) = 2.52 at most, so 4 bins
    assert table.loss.tolist() == [1, 3, 5, 7]
    assert table.images.tolist() == [3, 0, 0, 1]


@pytest.mark.parametrize(("far", "bins"), [(1e9, 100), (3.0, 38)])
def test_an_outlier_makes_at_most_a_hundred_bins(far: float, bins: int) -> None:
    losses = np.append(np.random.default_rng(0).normal(size=10_000).clip(-3, 3), far)
    table = charts.loss_histogram(losses)
    assert table.images.sum() == 10_001
    assert len(table) == pytest.approx(bins, rel=0.3)


def test_equal_losses_fill_one_bin() -> None:
    assert charts.loss_histogram(np.full(7, 3.0)).images.tolist() == [7]


def test_losses_show_the_histogram_the_mean_the_median_and_the_hardest_images(
    noise: Callable[..., NDArray[np.float32]],
) -> None:
    values = np.array([1.0, 2, 2, 11])
    bins = pd.DataFrame({"loss": [2.5, 5.5, 8.5], "images": [3, 0, 1]})
    hardest = noise(2)
    figure = charts.losses(values, bins, hardest, ["4\n11.0", "7\n2.0"])
    chart, gallery = figure.axes
    drawn = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in bars(chart)]
    assert drawn == [(1, 3, 3), (4, 3, 0), (7, 3, 1)]
    lines = {line.get_label(): np.asarray(line.get_xdata())[0] for line in chart.lines}
    assert lines == {"mean 4.00": 4, "median 2.00": 2}
    assert (chart.get_xlabel(), chart.get_ylabel()) == ("loss, nats per image", "images per bin of 3 nats")
    assert figure.get_suptitle() == "Loss (−ELBO) of 4 test images: mean 4.00, median 2.00 nats"
    np.testing.assert_array_equal(np.asarray(gallery.images[0].get_array()), np.hstack(list(hardest[..., 0])))
    assert [label.get_text() for label in gallery.get_xticklabels()] == ["4\n11.0", "7\n2.0"]


def test_losses_of_images_without_classes_have_another_title(noise: Callable[..., NDArray[np.float32]]) -> None:
    bins = pd.DataFrame({"loss": [2.5], "images": [3]})
    figure = charts.losses(np.array([1.0]), bins, noise(1), ["1.0"], "The largest losses, in nats")
    assert figure.axes[1].get_title() == "The largest losses, in nats"


def test_large_negative_losses_are_readable(noise: Callable[..., NDArray[np.float32]]) -> None:
    values = np.array([-1_200_000.0, -1_100_000, -1_150_000])
    unit = "nats per image of a density on the real numbers"
    figure = charts.losses(values, charts.loss_histogram(values), noise(1), ["−1100000"], unit=unit)
    chart = figure.axes[0]
    assert chart.get_xlabel() == f"loss, {unit}"
    assert figure.get_suptitle() == "Loss (−ELBO) of 3 test images: mean −1150000, median −1150000 nats"
    assert chart.get_ylabel().startswith("images per bin of ")
    assert "e" not in chart.get_ylabel().removeprefix("images per bin of ").removesuffix(" nats")
    figure.draw_without_rendering()
    assert "−1160000" in [label.get_text() for label in chart.get_xticklabels()]
