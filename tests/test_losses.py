import numpy as np
import pytest

from vae.losses import extremes_of_each_class, hardest, histogram


def test_best_median_and_worst_of_each_class_are_found() -> None:
    losses = np.array([5.0, 1, 9, 2, 7, 4, 3])
    labels = np.array([0, 0, 0, 3, 0, 3, 0], np.uint8)
    # class 0 in order: images 1, 6, 0, 4, 2; class 3: 3, 5
    assert extremes_of_each_class(losses, labels).tolist() == [[1, 3], [0, 3], [2, 5]]


def test_a_single_image_of_a_class_is_all_three() -> None:
    assert extremes_of_each_class(np.array([2.0]), np.array([4], np.uint8)).tolist() == [[0], [0], [0]]


def test_the_hardest_images_come_largest_loss_first() -> None:
    losses = np.array([5.0, 1, 9, 9, 7])
    assert hardest(losses, 3).tolist() == [2, 3, 4]
    assert hardest(losses, 9).tolist() == [2, 3, 4, 0, 1]


def test_histogram_counts_every_image_in_its_bin() -> None:
    losses = np.array([0.0, 1, 1, 8])
    table = histogram(losses)  # Freedman & Diaconis: width 2 * 2 / 4^(1/3) = 2.52 at most, so 4 bins
    assert table.loss.tolist() == [1, 3, 5, 7]
    assert table.images.tolist() == [3, 0, 0, 1]


@pytest.mark.parametrize(("far", "bins"), [(1e9, 100), (3.0, 38)])
def test_images_far_away_make_no_more_than_a_hundred_bins(far: float, bins: int) -> None:
    losses = np.append(np.random.default_rng(0).normal(size=10_000).clip(-3, 3), far)
    table = histogram(losses)
    assert table.images.sum() == 10_001
    assert len(table) == pytest.approx(bins, rel=0.3)


def test_equal_losses_fill_one_bin() -> None:
    assert histogram(np.full(7, 3.0)).images.tolist() == [7]
