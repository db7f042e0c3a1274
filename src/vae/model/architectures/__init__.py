"""The architectures that `model.architecture` names. A new one is one module and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import keras

from vae.model.architectures import mlp, resnet, tutorial

ImageShape = tuple[int, int, int]


class Architecture(Protocol):
    """The layers of an encoder and a decoder for images (height, width, channels)."""

    def build_encoder(
        self, image_shape: ImageShape, latent_dim: int, *, dropout: float, seed: int, precision: str
    ) -> keras.Model:
        """Return a model from images (batch, *image_shape) to z_mean and z_log_var, (batch, latent_dim) each.

        Raises:
            InputError: the architecture has no layers for images of that shape.
        """

    def build_decoder(self, image_shape: ImageShape, latent_dim: int, *, outputs: int, precision: str) -> keras.Model:
        """Return a model from z (batch, latent_dim) to the parameters of the likelihood.

        These are (batch, height, width, outputs), float32 at any precision.

        Raises:
            InputError: as in `build_encoder`.
        """


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType({"tutorial": tutorial, "resnet": resnet, "mlp": mlp})
