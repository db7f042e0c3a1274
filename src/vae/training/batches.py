"""Images for Keras's `fit`, `evaluate` and `predict`: a `tf.data.Dataset` of batches, without autotuning.

Keras would autotune a data set that it makes from an array. `fit` then took 10.4 or 20.7 s, and returned up to 9 s
after its last step. Without autotuning it returns at once. There is nothing to tune here.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vae.data.shards import Images, StoredImages


class Replicas(NamedTuple):
    """The replicas of the model in this process, among all that divide every batch between them."""

    own: range
    total: int

    def start(self, count: Any, replica: Any) -> Any:
        """Return the position in a batch of `count` images at which the part of a replica starts."""
        each, rest = count // self.total, count % self.total
        return replica * each + tf.minimum(replica, rest)

    def parts(self, positions: tf.Tensor) -> tf.data.Dataset:
        """Return the parts of a batch (n,) for the own replicas: n / total images each, or one more."""
        count = tf.size(positions, tf.int64)
        own = tf.data.Dataset.range(self.own.start, self.own.stop)
        return own.map(lambda replica: positions[self.start(count, replica) : self.start(count, replica + 1)])


ALONE = Replicas(range(1), 1)


def batches(
    images: Images,
    batch_size: int,
    labels: NDArray[np.integer[Any]] | None = None,
    replicas: Replicas = ALONE,
) -> tf.data.Dataset:
    """Return batches of images (n, height, width, channels) in their order; the last may be smaller.

    With labels (n,), each batch is a pair of images and their labels. With several replicas, each batch is divided, and
    the parts of the process's own replicas follow one another.
    """
    return _gather(tf.data.Dataset.range(len(images)).batch(batch_size), images, labels, replicas)


def shuffled_batches(
    images: Images,
    batch_size: int,
    seed: int,
    epochs: range,
    labels: NDArray[np.integer[Any]] | None = None,
    replicas: Replicas = ALONE,
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
        replicas: as in `batches`.
        binarize: whether to set each value to 1 with the probability of its grey level, otherwise to 0. The draw is
            another one in each step, and follows from the seed and the step.
    """

    def orders() -> Iterator[NDArray[np.int64]]:
        return (epoch_order(len(images), seed, epoch) for epoch in epochs)

    each_epoch = tf.data.Dataset.from_generator(orders, output_signature=tf.TensorSpec(len(images), tf.int64))
    indices = each_epoch.flat_map(lambda order: _slices(order, len(images), batch_size))
    found = _gather(indices, images, labels, replicas)
    if not binarize:
        return found
    steps, parts = math.ceil(len(images) / batch_size), len(replicas.own)

    def drawn(part: tf.Tensor, batch: Any) -> Any:
        grey, *rest = batch if labels is not None else (batch,)
        step = epochs.start * steps + part // parts
        # The noise of the whole batch, so that an image gets the same in any division.
        count = tf.where((step + 1) % steps == 0, len(images) - (steps - 1) * batch_size, batch_size)
        start = replicas.start(count, tf.cast(replicas.own.start + part % parts, tf.int32))
        shape = (count, *images.shape[1:])
        uniform = tf.random.stateless_uniform(shape, seed=tf.stack([tf.cast(seed, tf.int64), step]))
        binary = tf.cast(uniform[start : start + tf.shape(grey)[0]] < grey, tf.float32)
        return (binary, *rest) if rest else binary

    return tf.data.Dataset.zip(tf.data.Dataset.counter(), found).map(drawn)


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


def _gather(
    indices: tf.data.Dataset, images: Images, labels: NDArray[np.integer[Any]] | None, replicas: Replicas
) -> tf.data.Dataset:
    """Look the images of each batch of indices up, and their labels: in memory, or in the files of `StoredImages`.

    Only the images of the own replicas are read.
    """
    if replicas != ALONE:
        indices = indices.flat_map(replicas.parts)
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
