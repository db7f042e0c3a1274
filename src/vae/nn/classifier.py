"""A small convolutional classifier: its accuracy is of interest in itself, its features measure generated images."""

import math
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.optimizers.schedules import CosineDecay
from numpy.typing import NDArray
from tqdm import tqdm

from vae.nn.batches import batches, shuffled_batches
from vae.nn.progress import EpochLine, EpochRecord
from vae.nn.weights import load_model, save_model
from vae.splits import Split

FEATURES = 64
VALIDATION_BATCH_SIZE = 500
LINE = "loss {loss:.3f}, accuracy {accuracy:.4f}, validation {val_loss:.3f}, accuracy {val_accuracy:.4f}"


def build_classifier(image_shape: tuple[int, int, int], classes: int, seed: int) -> keras.Model:
    """An untrained model, images (batch, height, width, channels) to class logits (batch, classes).

    Its dropout follows the seed; its weights follow `keras.utils.set_random_seed`, as in any Keras model.
    """
    images = keras.Input(image_shape, name="images")
    h = images
    for number, filters in enumerate((32, 64), start=1):
        h = layers.Conv2D(filters, 3, name=f"conv_{number}")(h)
        h = layers.MaxPooling2D(2, name=f"pool_{number}")(h)
        h = layers.ReLU(name=f"relu_{number}")(h)
    h = layers.Flatten(name="flatten")(h)
    h = layers.Dropout(0.25, seed=seed, name="dropout")(h)
    h = layers.Dense(FEATURES, name="features")(h)
    logits = layers.Dense(classes, name="logits")(layers.ReLU(name="relu_3")(h))
    return keras.Model(images, logits, name="classifier")


def train_classifier(
    train: Split, validation: Split, *, epochs: int, batch_size: int, learning_rate: float, seed: int
) -> keras.Model:
    """A model trained by Adam on the cross-entropy, with the weights of its best validation epoch.

    Args:
        train: shuffled anew each epoch.
        validation: the epoch with the lowest loss on it is the best one.
        epochs: all of them are run, the learning rate falling to zero by half a cosine.
        batch_size: images in a step.
        learning_rate: at the start.
        seed: of the initial weights, the dropout and the shuffling.

    Raises:
        DivergenceError: the loss is no longer a finite number, or a weight is none.
    """
    keras.utils.set_random_seed(seed)
    model = build_classifier(train.images.shape[1:], len(train.class_names), seed)
    on_terminal = sys.stdout.isatty()
    steps_per_epoch = math.ceil(len(train.images) / batch_size)
    schedule = CosineDecay(learning_rate, epochs * steps_per_epoch)
    record = EpochRecord("classify.learning_rate", learning_rate)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss, metrics=["accuracy"])
    model.fit(
        shuffled_batches(train.images, batch_size, seed, range(epochs), train.labels),
        shuffle=False,  # `shuffled_batches` does
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        validation_data=batches(validation.images, VALIDATION_BATCH_SIZE, labels=validation.labels),
        callbacks=[
            record,
            keras.callbacks.EarlyStopping("val_loss", mode="min", patience=epochs, restore_best_weights=True),
            *([] if on_terminal else [EpochLine(record, LINE)]),
        ],
        verbose=1 if on_terminal else 0,
    )
    return model


def predict(model: keras.Model, images: NDArray[np.float32], batch_size: int) -> NDArray[np.integer[Any]]:
    """The most probable class of each image, (n,)."""
    logits = np.asarray(model.predict(batches(images, batch_size), verbose=0))
    classes: NDArray[np.integer[Any]] = logits.argmax(axis=1)
    return classes


def features(
    model: keras.Model, images: NDArray[np.float32], batch_size: int, title: str = "features"
) -> NDArray[np.float32]:
    """What the last hidden layer computes of images (n, height, width, channels), before its activation: (n, 64).

    Before it, since the Fréchet distance takes features for Gaussian, and after it many are exactly zero. `title` is
    that of the progress bar.
    """
    extractor = keras.Model(model.input, model.get_layer("features").output)
    starts = tqdm(range(0, len(images), batch_size), title, unit="batch", disable=None)
    return np.concatenate([np.asarray(extractor(images[i : i + batch_size])) for i in starts])


def save_classifier(model: keras.Model, path: Path) -> None:
    """Write the folder `path`, whole or not at all."""
    config = {"image_shape": list(model.input_shape[1:]), "classes": model.output_shape[-1]}
    save_model(model, path, _build, config)


def load_classifier(path: Path) -> keras.Model:
    """The model with its trained weights.

    Raises:
        InputError: the folder is missing, or is not what `save_classifier` writes.
    """
    return load_model(path, _build, name="classifier", stage="classify")


def _build(image_shape: list[int], classes: int) -> keras.Model:
    height, width, channels = image_shape
    return build_classifier((height, width, channels), classes, seed=0)
