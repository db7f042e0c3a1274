"""The batches of a training and of its validation, divided between the replicas of the model's strategy."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from vae.data.shards import Images
from vae.data.splits import Labels
from vae.errors import InputError
from vae.model.runtime import images_at_once
from vae.model.vae import VAE
from vae.training.batches import ALONE, Replicas, batches, pairs_as_inputs, shuffled_batches

VALIDATION_BATCH_SIZE = 500


class DataSets(NamedTuple):
    """What Keras's `fit` takes."""

    training: Any
    """The batches of all epochs."""
    validation: Any
    """The batches of one validation."""
    validation_steps: int | None
    """Their number, if they are divided, since Keras cannot see it then."""


def data_sets(
    model: VAE,
    images: tuple[Images, Images],
    labels: tuple[Labels, Labels] | None,
    batch_size: int,
    seed: int,
    epochs: range,
) -> DataSets:
    """Return the batches of the training and of the validation, as the model takes them.

    Args:
        model: the model, whose strategy divides the batches.
        images: the training images, (n, height, width, channels), and the validation images, (m, …).
        labels: their labels, (n,) and (m,), for a conditional model.
        batch_size: the number of images in a training step, on all replicas together.
        seed: the seed of the shuffling.
        epochs: the numbers of the epochs, from 0.

    Raises:
        InputError: the labels do not fit the model, or a batch has fewer images than there are replicas, since
            TensorFlow's convolutions fail on an empty batch.
    """
    own, held_out = (
        model.checked_labels(some, len(of)) for some, of in zip(labels or (None, None), images, strict=True)
    )
    replicas = model.distribute_strategy.num_replicas_in_sync
    largest = images_at_once(VALIDATION_BATCH_SIZE, model.image_shape, model.outputs)
    if (smallest := _smallest_batch(len(images[0]), batch_size)) < replicas:
        raise InputError(
            f"with train.batch_size {batch_size}, the smallest batch of the {len(images[0]):,} training images has "
            f"{smallest}, too few to divide between {replicas} replicas: choose another batch size or fewer replicas."
        )
    size = next((n for n in range(largest, 0, -1) if _smallest_batch(len(images[1]), n) >= replicas), 0)
    if not size:
        raise InputError(
            f"the {len(images[1]):,} validation images cannot be divided between {replicas} replicas in batches of at "
            f"most {largest}: use fewer replicas."
        )

    def training(part: Replicas) -> tf.data.Dataset:
        binarize = model.likelihood.binarizes
        return shuffled_batches(images[0], batch_size, seed, epochs, own, part, binarize=binarize)

    def validation(part: Replicas) -> tf.data.Dataset:
        return batches(images[1], size, held_out, part)

    def divided(data: Callable[[Replicas], tf.data.Dataset]) -> Any:
        make = (lambda part: pairs_as_inputs(data(part))) if model.conditional else data
        return _divided(model.distribute_strategy, make)

    steps = math.ceil(len(images[1]) / size) if replicas > 1 else None
    return DataSets(divided(training), divided(validation), steps)


def _smallest_batch(count: int, batch_size: int) -> int:
    """Return the number of images in the smallest of the batches of `count` images."""
    return min(batch_size, count % batch_size or batch_size)


def _divided(strategy: tf.distribute.Strategy, data: Callable[[Replicas], tf.data.Dataset]) -> Any:
    """Return a data set whose batches are divided between the replicas of a strategy.

    Args:
        strategy: the strategy.
        data: makes the data set of a process, with the parts of its own replicas one after the other.
    """
    total = strategy.num_replicas_in_sync
    if total == 1:
        return data(ALONE)

    def of_process(context: tf.distribute.InputContext) -> tf.data.Dataset:
        each = total // context.num_input_pipelines
        start = each * context.input_pipeline_id
        return data(Replicas(range(start, start + each), total))

    return strategy.distribute_datasets_from_function(of_process)
