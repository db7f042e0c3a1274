import numpy as np

from vae.plots.examples import extremes_of_each_class, hardest


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
