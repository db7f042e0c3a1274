"""Images as Keras's `fit`, `evaluate` and `predict` take them: a `tf.data.Dataset` of batches, without autotuning.

What Keras makes of an array by itself has tf.data's autotuning on, and with it `fit` was seen to return 10.4 or 20.7 s
after its start, up to 9 s after its last step. With autotuning off it returns at once. There is nothing to tune here.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def batches(images: NDArray[np.float32], batch_size: int, labels: NDArray[np.uint8] | None = None) -> tf.data.Dataset:
    """Batches of images (n, height, width, channels) in their order; the last may be smaller.

    With labels (n,), the batches are pairs of images and their labels.
    """
    return _gather(tf.data.Dataset.range(len(images)).batch(batch_size), images, labels)


def shuffled_batches(
    images: NDArray[np.float32],
    batch_size: int,
    seed: int,
    epochs: range,
    labels: NDArray[np.uint8] | None = None,
) -> tf.data.Dataset:
    """The batches of one epoch after the other, as `batches` has them, but shuffled in the `epoch_order` of each.

    As these are several epochs in a row, `fit` needs its `steps_per_epoch`.

    Args:
        images: (n, height, width, channels).
        batch_size: the last batch of each epoch may be smaller.
        seed: of the shuffling.
        epochs: their numbers, from 0. A training that goes on after three epochs begins at 3.
        labels: (n,).
    """

    def orders() -> Iterator[NDArray[np.int64]]:
        return (epoch_order(len(images), seed, epoch) for epoch in epochs)

    each_epoch = tf.data.Dataset.from_generator(orders, output_signature=tf.TensorSpec(len(images), tf.int64))
    return _gather(each_epoch.flat_map(lambda order: _slices(order, len(images), batch_size)), images, labels)


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `count` images in an epoch, (count,): it follows from these numbers, whatever was drawn before."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def _slices(order: tf.Tensor, count: int, batch_size: int) -> tf.data.Dataset:
    """An order (count,) cut into batches: whole rows at a time, for `batch` would take its indices one by one."""
    whole, rest = divmod(count, batch_size)
    slices = tf.data.Dataset.from_tensor_slices(tf.reshape(order[: whole * batch_size], (whole, batch_size)))
    return slices.concatenate(tf.data.Dataset.from_tensors(order[-rest:])) if rest else slices


def _gather(indices: tf.data.Dataset, images: NDArray[np.float32], labels: NDArray[np.uint8] | None) -> tf.data.Dataset:
    on_device = tf.constant(images) if labels is None else (tf.constant(images), tf.constant(labels))
    options = tf.data.Options()
    options.autotune.enabled = False

    def batch(i: tf.Tensor) -> Any:
        return tf.nest.map_structure(lambda values: tf.gather(values, i), on_device)

    return indices.map(batch).prefetch(2).with_options(options)
