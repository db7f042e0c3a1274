"""A small convolutional classifier, whose accuracy is reported and whose features measure generated images."""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import vae.model  # noqa: F401, sets TensorFlow up before Keras is imported

# isort: split
import keras
import numpy as np
from keras import KerasTensor, layers
from keras.optimizers.schedules import CosineDecay
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.shards import Images, pieces
from vae.data.splits import Split
from vae.evaluation.accuracy import check_classes
from vae.model.runtime import images_at_once
from vae.training.batches import batches, shuffled_batches
from vae.training.callbacks import EpochLine, EpochRecord

FEATURES = 64
SMALLEST = 10
"""The smallest height and width that two convolutions and two poolings leave a pixel of."""
VALIDATION_BATCH_SIZE = 500
LINE = "loss {loss:.3f}, accuracy {accuracy:.4f}, validation {val_loss:.3f}, accuracy {val_accuracy:.4f}"


@keras.saving.register_keras_serializable("vae")
class Classifier(keras.Model):
    """A convolutional network from images (batch, height, width, channels) to class logits (batch, classes).

    Images with fewer than ten rows or columns are padded with zeros, at the bottom and at the right.

    Args:
        image_shape: (height, width, channels).
        class_names: the names of the classes, one for each logit.
        seed: the seed of the dropout. The initial weights follow `keras.utils.set_random_seed`, as in any Keras model.
        name: the name of the Keras model.
    """

    def __init__(
        self, image_shape: Sequence[int], class_names: Sequence[str], seed: int, name: str = "classifier"
    ) -> None:
        super().__init__(name=name)
        height, width, channels = image_shape
        images = h = keras.Input((height, width, channels), name="images")
        if min(height, width) < SMALLEST:
            missing = [(0, max(0, SMALLEST - size)) for size in (height, width)]
            h = layers.ZeroPadding2D(missing, name="pad")(h)
        for number, filters in enumerate((32, 64), start=1):
            h = layers.Conv2D(filters, 3, name=f"conv_{number}")(h)
            h = layers.MaxPooling2D(2, name=f"pool_{number}")(h)
            h = layers.ReLU(name=f"relu_{number}")(h)
        h = layers.Flatten(name="flatten")(h)
        h = layers.Dropout(0.25, seed=seed, name="dropout")(h)
        h = layers.Dense(FEATURES, name="features")(h)
        logits = layers.Dense(len(class_names), name="logits")(layers.ReLU(name="relu_3")(h))
        self.network = keras.Model(images, logits, name="network")
        self.image_shape = height, width, channels
        self.class_names = tuple(class_names)
        self._config = {"image_shape": list(image_shape), "class_names": list(class_names), "seed": seed, "name": name}
        self(images)  # builds it: weights can be loaded, and the summary shows shapes

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        """Return the class logits (batch, classes) of images (batch, height, width, channels)."""
        return self.network(images, training=training)

    def get_config(self) -> dict[str, Any]:
        return dict(self._config)


def train_classifier(
    train: Split, validation: Split, *, epochs: int, batch_size: int, learning_rate: float, seed: int
) -> Classifier:
    """Train a classifier by Adam on the cross-entropy and return it with the weights of its best validation epoch.

    Args:
        train: the training split, shuffled in every epoch.
        validation: the validation split. The best epoch is the one with the lowest loss on it.
        epochs: the number of epochs. All of them run, while the learning rate falls to zero by half a cosine.
        batch_size: images in one step.
        learning_rate: the learning rate at the start.
        seed: the seed of the initial weights, the dropout and the shuffling.

    Raises:
        DivergenceError: the loss or a weight became NaN or infinite.
        InputError: a split has no labels, or the training images are all of one class.
    """
    labels, validation_labels = train.known_labels, validation.known_labels
    check_classes(labels)
    keras.utils.set_random_seed(seed)
    model = Classifier(train.images.shape[1:], train.class_names.tolist(), seed)
    on_terminal = sys.stdout.isatty()
    steps_per_epoch = math.ceil(len(train.images) / batch_size)
    validation_size = images_at_once(VALIDATION_BATCH_SIZE, model.image_shape)
    schedule = CosineDecay(learning_rate, epochs * steps_per_epoch)
    record = EpochRecord("classify.learning_rate", learning_rate)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss, metrics=["accuracy"])
    model.fit(
        shuffled_batches(train.images, batch_size, seed, range(epochs), labels),
        shuffle=False,  # `shuffled_batches` does
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        validation_data=batches(validation.images, validation_size, labels=validation_labels),
        callbacks=[
            record,
            keras.callbacks.EarlyStopping("val_loss", mode="min", patience=epochs, restore_best_weights=True),
            *([] if on_terminal else [EpochLine(record, LINE)]),
        ],
        verbose=1 if on_terminal else 0,
    )
    return model


def predict(model: Classifier, images: Images, batch_size: int) -> NDArray[np.integer[Any]]:
    """Return the most probable class of each image, (n,), as an index into the model's `class_names`.

    A batch has at most `batch_size` images, and fewer if they are large.
    """
    rows = list(pieces(len(images), images_at_once(batch_size, model.image_shape)))
    bar = tqdm(rows, "predict", unit="batch", disable=None)
    return np.concatenate([model.predict_on_batch(images[i]).argmax(axis=1) for i in bar])


def features(
    model: Classifier,
    items: Images | NDArray[Any],
    batch_size: int,
    title: str = "features",
    to_images: Callable[[NDArray[Any]], NDArray[np.float32]] = np.asarray,
) -> NDArray[np.float32]:
    """Return the features of images, (n, FEATURES): the last hidden layer's outputs.

    They are taken before its ReLU: the Fréchet distance treats features as Gaussian, and after it many are exactly 0.

    Args:
        model: the classifier.
        items: (n, …), the images (n, height, width, channels), or what `to_images` makes them from.
        batch_size: the largest number of images in one batch; there are fewer if they are large.
        title: the title of the progress bar.
        to_images: applied to each batch of items, so that only its images are in memory: for example, a decoder.
    """
    extractor = keras.Model(model.network.input, model.network.get_layer("features").output)
    size = images_at_once(batch_size, model.image_shape)
    rows = tqdm(list(pieces(len(items), size)), title, unit="batch", disable=None)
    return np.concatenate([np.asarray(extractor(to_images(items[i]))) for i in rows])
