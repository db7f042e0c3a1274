"""Images as Keras's `fit`, `evaluate` and `predict` take them: a `tf.data.Dataset` of batches, without autotuning."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def batches(
    images: NDArray[np.float32], batch_size: int, shuffle: bool = False, labels: NDArray[np.uint8] | None = None
) -> tf.data.Dataset:
    """Batches of images (n, height, width, channels), shuffled anew each epoch if asked for; the last may be smaller.

    With labels (n,), the batches are pairs of images and their labels.

    What Keras makes of an array by itself has tf.data's autotuning on, and with it `fit` was seen to return 10.4 or
    20.7 s after its start, up to 9 s after its last step. With autotuning off it returns at once. There is nothing to
    tune here.
    """
    on_device = tf.constant(images) if labels is None else (tf.constant(images), tf.constant(labels))
    indices = tf.data.Dataset.range(len(images))
    if shuffle:
        indices = indices.shuffle(len(images))
    options = tf.data.Options()
    options.autotune.enabled = False

    def batch(i: tf.Tensor) -> Any:
        return tf.nest.map_structure(lambda values: tf.gather(values, i), on_device)

    return indices.batch(batch_size).map(batch).prefetch(1).with_options(options)
