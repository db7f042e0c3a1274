import numpy as np
import tensorflow as tf

from vae.nn.batches import batches


def test_batches_have_every_image_once_in_order_or_shuffled_anew() -> None:
    images = np.arange(10, dtype="float32").reshape(10, 1, 1, 1)

    def epoch(dataset: tf.data.Dataset) -> list[list[float]]:
        return [batch.numpy().ravel().tolist() for batch in dataset]

    assert epoch(batches(images, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    shuffled = batches(images, 4, shuffle=True)
    first, second = ([image for batch in epoch(shuffled) for image in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_labels_stay_with_their_images() -> None:
    images, labels = np.arange(10, dtype="float32").reshape(10, 1, 1, 1), np.arange(10, dtype=np.uint8) + 100
    pairs = [(x.numpy().ravel() + 100, y.numpy()) for x, y in batches(images, 4, shuffle=True, labels=labels)]
    assert [len(y) for _, y in pairs] == [4, 4, 2]
    for x, y in pairs:
        np.testing.assert_array_equal(x, y)


def test_batches_are_not_autotuned_so_that_no_epoch_waits_for_its_thread() -> None:
    assert batches(np.zeros((4, 28, 28, 1), "float32"), 2).options().autotune.enabled is False
