"""A conditional VAE: the label y of an image goes to the encoder and to the decoder, q(z|x, y) and p(x|z, y).

Sohn, Lee & Yan, "Learning Structured Output Representation using Deep Conditional Generative Models" (2015), and the
model M2 of Kingma et al., "Semi-supervised Learning with Deep Generative Models" (2014),
https://arxiv.org/abs/1406.5298, with every label known. The prior p(z) does not depend on the label, so that z carries
what the label does not say, for example the style of a digit. Everywhere in a bound, p(x|y) takes the place of p(x).
"""

from typing import TypeVar

import keras
from keras import KerasTensor, layers

from vae.errors import InputError
from vae.model.architectures import Architecture, ImageShape

MAX_CODE = 32
"""The size of the vector that a label becomes, or the number of classes if that is smaller."""
Values = TypeVar("Values")


class ConditionalArchitecture:
    """An architecture whose encoder and decoder also see the label.

    Each learns a vector for each class, its code, which starts as a draw of N(0, I), like z. The encoder makes a plane
    from its code, which is a further channel of the image. The decoder's code is appended to z. The architecture's own
    layers are those for an image of one channel more, and for a longer z.

    Args:
        architecture: the architecture.
        classes: the number of classes; labels are below it.

    Raises:
        InputError: there are no classes.
    """

    def __init__(self, architecture: Architecture, classes: int) -> None:
        if not classes:
            raise InputError("class_names is empty, but a conditional model needs the name of each class.")
        self.architecture, self.classes = architecture, classes

    def build_encoder(
        self, image_shape: ImageShape, latent_dim: int, *, dropout: float, seed: int, precision: str
    ) -> keras.Model:
        """Return a model from images (batch, *image_shape) and labels (batch,) to z_mean and z_log_var.

        Raises:
            InputError: as in `Architecture.build_encoder`.
        """
        height, width, channels = image_shape
        encoder = self.architecture.build_encoder(
            (height, width, channels + 1), latent_dim, dropout=dropout, seed=seed, precision=precision
        )
        images, labels = keras.Input(image_shape, name="images"), _labels()
        plane = layers.Dense(height * width, dtype="float32", name="plane")(self._code(labels))
        plane = layers.Reshape((height, width, 1), dtype="float32", name="plane_of_pixels")(plane)
        both = layers.Concatenate(dtype="float32", name="images_and_plane")([images, plane])
        return keras.Model((images, labels), encoder(both), name="encoder")

    def build_decoder(self, image_shape: ImageShape, latent_dim: int, *, outputs: int, precision: str) -> keras.Model:
        """Return a model from z (batch, latent_dim) and labels (batch,) to the parameters of the likelihood.

        Raises:
            InputError: as in `Architecture.build_decoder`.
        """
        z, labels = keras.Input((latent_dim,), name="z"), _labels()
        both = layers.Concatenate(dtype="float32", name="z_and_code")([z, self._code(labels)])
        decoder = self.architecture.build_decoder(image_shape, both.shape[-1], outputs=outputs, precision=precision)
        return keras.Model((z, labels), decoder(both), name="decoder")

    def _code(self, labels: KerasTensor) -> KerasTensor:
        """Return the code of each label, (batch, classes or `MAX_CODE`)."""
        size, start = min(self.classes, MAX_CODE), keras.initializers.RandomNormal(stddev=1.0)
        return layers.Embedding(self.classes, size, start, dtype="float32", name="label_embedding")(labels)


def _labels() -> KerasTensor:
    return keras.Input((), dtype="int32", name="labels")


def with_labels(values: Values, labels: Values | None) -> Values | tuple[Values, Values]:
    """Return the input of an encoder or a decoder: the values, for a conditional model in a pair with their labels."""
    return values if labels is None else (values, labels)
