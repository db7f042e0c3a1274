"""The likelihoods p(x|z) that `model.likelihood` names. A new one is one module and one line here.

Each model has a likelihood of its own. One with weights is a Keras layer, so that the model trains and saves them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from keras import KerasTensor

from vae.model.likelihoods.bernoulli import Bernoulli


class Likelihood(Protocol):
    """A distribution of images, given the decoder's output for z. The pixels are independent."""

    binarizes: bool
    """Whether the model sees and predicts binarized images, drawn anew in each training step."""

    def outputs(self, channels: int) -> int:
        """Return the number of the decoder's outputs for each pixel of an image with so many channels."""

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return -log p(x|z) in nats per image, (batch,).

        Args:
            images: (batch, height, width, channels).
            parameters: (batch, height, width, outputs), the decoder's output.
        """

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the mean images, (batch, height, width, channels)."""

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw images, (batch, height, width, channels)."""


LIKELIHOODS: Mapping[str, Callable[[], Likelihood]] = MappingProxyType({"bernoulli": Bernoulli})
