"""The likelihoods p(x|z) that `model.likelihood` names. A new one is one module and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from keras import KerasTensor

from vae.model.likelihoods.bernoulli import Bernoulli


class Likelihood(Protocol):
    """A distribution of images. The values of an image are independent, given the decoder's output for z."""

    parameters_per_value: int
    """The number of the decoder's outputs for each value of an image (a pixel in one channel)."""

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return -log p(x|z) in nats per image, (batch,).

        Args:
            images: (batch, height, width, channels).
            parameters: (batch, height, width, channels * parameters_per_value), the decoder's output.
        """

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the mean images, (batch, height, width, channels)."""

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw images, (batch, height, width, channels)."""


LIKELIHOODS: Mapping[str, Likelihood] = MappingProxyType({"bernoulli": Bernoulli()})
