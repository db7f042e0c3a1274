import numpy as np
import pytest

from vae.plots.examples import (
    extremes,
    extremes_of_each_class,
    hardest,
    pairs,
    pairs_of_classes,
    pairs_within_classes,
    spread,
)


def test_best_median_and_worst_of_each_class_are_found() -> None:
    losses = np.array([5.0, 1, 9, 2, 7, 4, 3])
    labels = np.array([0, 0, 0, 3, 0, 3, 0], np.uint8)
    # In order of the loss, class 0 has the images 1, 6, 0, 4, 2, and class 3 the images 3, 5.
    assert extremes_of_each_class(losses, labels, 12).tolist() == [[1, 3], [0, 3], [2, 5]]


def test_a_single_image_of_a_class_is_best_median_and_worst() -> None:
    assert extremes_of_each_class(np.array([2.0]), np.array([4], np.uint8), 12).tolist() == [[0], [0], [0]]


def test_the_hardest_images_come_largest_loss_first() -> None:
    losses = np.array([5.0, 1, 9, 9, 7])
    assert hardest(losses, 3).tolist() == [2, 3, 4]
    assert hardest(losses, 9).tolist() == [2, 3, 4, 0, 1]


def test_of_many_classes_some_are_shown_the_first_and_the_last_included() -> None:
    labels = np.repeat(np.arange(0, 600, 3, dtype=np.uint16), 2)  # 200 classes
    losses = np.arange(400.0)
    shown = extremes_of_each_class(losses, labels, 12)
    assert shown.shape == (3, 12)
    classes = labels[shown[0]]
    assert (classes[0], classes[-1]) == (0, 597)
    assert set(np.diff(classes.astype(int))) <= {54, 57}


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [0]), (3, [0, 4, 9]), (10, list(range(10))), (99, list(range(10)))]
)
def test_values_are_chosen_at_equal_distances(count: int, expected: list[int]) -> None:
    assert spread(np.arange(10), count).tolist() == expected


def test_the_best_the_median_and_the_worst_images_of_all_do_not_overlap() -> None:
    losses = np.array([5.0, 1, 9, 2, 7, 4, 3, 8])
    # In order of the loss: 1, 3, 6, 5, 0, 4, 7, 2.
    assert extremes(losses, 12).tolist() == [[1, 3], [5, 0], [7, 2]]
    assert extremes(losses, 1).tolist() == [[1], [5], [2]]
    assert extremes(losses[:2], 12).tolist() == [[1], [1], [0]]


def test_pairs_of_classes_are_their_first_images() -> None:
    labels = np.array([5, 2, 2, 0, 5, 9, 1], np.uint8)
    assert pairs_of_classes(labels, 5).tolist() == [[3, 6], [1, 0]]  # 0 to 1 and 2 to 5; 9 is left over
    assert pairs_of_classes(labels, 1).tolist() == [[3, 5]]  # 0 to 9


@pytest.mark.parametrize(
    ("images", "expected"), [(1, [[0, 0]]), (2, [[0, 1]]), (5, [[0, 1], [2, 3]]), (99, [[0, 1], [2, 3], [4, 5]])]
)
def test_without_classes_the_first_images_are_paired(images: int, expected: list[list[int]]) -> None:
    assert pairs(images, 3).tolist() == expected


def test_pairs_within_classes_are_their_first_two_images_or_the_only_one() -> None:
    labels = np.array([5, 2, 2, 0, 5, 9, 2, 9], np.uint8)
    assert pairs_within_classes(labels, 9).tolist() == [[3, 3], [1, 2], [0, 4], [5, 7]]
    assert pairs_within_classes(labels, 2).tolist() == [[3, 3], [5, 7]]
