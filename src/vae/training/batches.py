"""Images for Keras's `fit`, `evaluate` and `predict`: a `tf.data.Dataset` of batches, without autotuning.

Keras would autotune a data set that it makes from an array. `fit` then took 10.4 or 20.7 s, and returned up to 9 s
after its last step. Without autotuning it returns at once. There is nothing to tune here.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vae.data.shards import Images, StoredImages


def batches(images: Images, batch_size: int, labels: NDArray[np.integer[Any]] | None = None) -> tf.data.Dataset:
    """Return batches of images (n, height, width, channels) in their order; the last may be smaller.

    With labels (n,), each batch is a pair of images and their labels.
    """
    return _gather(tf.data.Dataset.range(len(images)).batch(batch_size), images, labels)


def shuffled_batches(
    images: Images,
    batch_size: int,
    seed: int,
    epochs: range,
    labels: NDArray[np.integer[Any]] | None = None,
    *,
    binarize: bool = False,
) -> tf.data.Dataset:
    """Return the batches of several epochs in a row, each epoch's images in its `epoch_order`.

    `fit` needs `steps_per_epoch` to know where an epoch ends.

    Args:
        images: (n, height, width, channels).
        batch_size: the number of images in a batch; the last batch of each epoch may be smaller.
        seed: the seed of the shuffling.
        epochs: the numbers of the epochs, from 0. A training that resumes after three epochs begins at 3.
        labels: (n,), or None.
        binarize: whether to set each value to 1 with the probability of its grey level, otherwise to 0. The draw is
            another one in each step, and follows from the seed and the step.
    """

    def orders() -> Iterator[NDArray[np.int64]]:
        return (epoch_order(len(images), seed, epoch) for epoch in epochs)

    each_epoch = tf.data.Dataset.from_generator(orders, output_signature=tf.TensorSpec(len(images), tf.int64))
    found = _gather(each_epoch.flat_map(lambda order: _slices(order, len(images), batch_size)), images, labels)
    if not binarize:
        return found
    first = epochs.start * math.ceil(len(images) / batch_size)

    def drawn(step: tf.Tensor, batch: Any) -> Any:
        grey, *rest = batch if labels is not None else (batch,)
        uniform = tf.random.stateless_uniform(tf.shape(grey), seed=tf.stack([tf.cast(seed, tf.int64), step]))
        binary = tf.cast(uniform < grey, tf.float32)
        return (binary, *rest) if rest else binary

    return tf.data.Dataset.zip(tf.data.Dataset.counter(first), found).map(drawn)


def pairs_as_inputs(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Make each pair of images and labels the input of a conditional model, instead of an input and its target."""
    return batches.map(lambda *pair: (pair,))


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of `count` images in an epoch, (count,). It follows from the arguments only."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def _slices(order: tf.Tensor, count: int, batch_size: int) -> tf.data.Dataset:
    """Cut an order (count,) into batches, whole rows at a time: `batch` would take the indices one by one."""
    whole, rest = divmod(count, batch_size)
    slices = tf.data.Dataset.from_tensor_slices(tf.reshape(order[: whole * batch_size], (whole, batch_size)))
    return slices.concatenate(tf.data.Dataset.from_tensors(order[-rest:])) if rest else slices


def _gather(indices: tf.data.Dataset, images: Images, labels: NDArray[np.integer[Any]] | None) -> tf.data.Dataset:
    """Look the images of each batch of indices up, and their labels: in memory, or in the files of `StoredImages`."""
    if isinstance(images, StoredImages):
        shape = images.shape[1:]

        def look_up(i: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(
                tf.numpy_function(images.__getitem__, [i], tf.float32, stateful=False), (*i.shape, *shape)
            )

    else:
        on_device = tf.constant(images)

        def look_up(i: tf.Tensor) -> tf.Tensor:
            return tf.gather(on_device, i)

    their_labels = None if labels is None else tf.constant(labels)
    options = tf.data.Options()
    options.autotune.enabled = False

    def batch(i: tf.Tensor) -> Any:
        return look_up(i) if their_labels is None else (look_up(i), tf.gather(their_labels, i))

    return indices.map(batch).prefetch(2).with_options(options)
