"""Training on several replicas of a model, each with a part of every batch, by `tf.distribute`.

Together, the replicas do what a single one would do with the whole batch: the loss and its gradient are averages over
all images, however the batch is divided, and each image gets the same noise. Without a strategy, this module changes
nothing.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import KerasTensor, layers, ops


def replicas() -> int:
    """Return the number of replicas that train together: 1 without a strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def several_workers() -> bool:
    """Return whether the replicas are in several processes."""
    return isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy)


def batch_mean(values: KerasTensor) -> KerasTensor:
    """Return the average (…) of values (batch, …) over the batch of all replicas."""
    if _alone():
        return ops.mean(values, axis=0)
    counts, _ = _counts(tf.shape(values)[0])
    return _sum(tf.reduce_sum(values, axis=0)) / tf.cast(tf.reduce_sum(counts), values.dtype)


def drawn_together(draw: Callable[[Any], KerasTensor], shape: Any, samples: int = 1) -> KerasTensor:
    """Draw random values for the batch of all replicas, and return the values of this replica's images.

    Args:
        draw: returns values of the shape that it is given. It must return the same ones in each replica.
        shape: the shape of this replica's values, (samples * batch, …), beginning with the first sample.
        samples: the number of samples for each image.
    """
    if _alone():
        return draw(shape)
    each = tuple(shape[1:])
    own = shape[0] // samples
    counts, replica = _counts(own)
    total, start = tf.reduce_sum(counts), tf.reduce_sum(counts[:replica])
    values = tf.reshape(draw((samples * total, *each)), (samples, total, *each))
    return tf.reshape(values[:, start : start + own], (samples * own, *each))


@keras.saving.register_keras_serializable("vae")
class Dropout(layers.Dropout):
    """Keras's dropout, with the same mask for an image whatever the number of replicas."""

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        if not training or not self.rate or _alone():
            return super().call(inputs, training=training)
        mask = super().call
        ones = drawn_together(lambda shape: mask(tf.ones(shape, inputs.dtype), training=True), ops.shape(inputs))
        return inputs * ones


class ReplicatedSteps(keras.Model):
    """The steps of `fit` and `evaluate` on several replicas: `compute_loss` is averaged over the images of all.

    Keras's own steps add up the replicas' losses, whatever their numbers of images, and `fit` cannot reduce the
    results of several workers (https://github.com/keras-team/keras/issues/20585).
    """

    def train_step(self, data: Any) -> Any:
        """Train on this replica's part of a batch."""
        if _alone():
            return super().train_step(data)
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss, count = self._loss(x, training=True)
            counts, _ = _counts(count)
            scaled = loss * tf.cast(count, loss.dtype) / tf.cast(tf.reduce_sum(counts), loss.dtype)
        gradients = tape.gradient(scaled, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))  # adds them up
        return self._results()

    def test_step(self, data: Any) -> Any:
        """Evaluate this replica's part of a batch."""
        if _alone():
            return super().test_step(data)
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self._loss(x, training=False)
        return self._results()

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Build what is not built yet. Keras would average the first batch over its parts, which may differ in size."""
        if self.compiled and self.distribute_strategy.num_replicas_in_sync > 1:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def _loss(self, x: Any, training: bool) -> tuple[KerasTensor, KerasTensor]:
        """Return the average loss of this replica's images and their number, and record both."""
        loss = self.compute_loss(x, y_pred=self(x, training=training), training=training)
        count = tf.shape(keras.tree.flatten(x)[0])[0]
        self._loss_tracker.update_state(loss, sample_weight=count)
        return loss, count

    def _results(self) -> dict[str, KerasTensor]:
        """Return the metrics, as vectors for several workers: Keras reduces these over an axis, too."""
        results = {metric.name: metric.result() for metric in self.metrics}
        return {name: value[None] for name, value in results.items()} if several_workers() else results


def _alone() -> bool:
    return replicas() == 1 or tf.distribute.in_cross_replica_context()


def _counts(own: KerasTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the number of images of each replica, (replicas,), and the index of this one."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    counts = _sum(tf.one_hot(replica, replicas(), on_value=tf.cast(own, tf.float32)))
    return tf.cast(counts, tf.int32), replica


def _sum(values: tf.Tensor) -> tf.Tensor:
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)
