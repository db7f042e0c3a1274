"""The likelihoods p(x|z) that `model.likelihood` names. A new one is one module and one line here.

Each model has a likelihood of its own. One with weights is a Keras layer, so that the model trains and saves them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from keras import KerasTensor

from vae.model.likelihoods.bernoulli import Bernoulli, Binarized
from vae.model.likelihoods.continuous_bernoulli import ContinuousBernoulli
from vae.model.likelihoods.gaussian import Gaussian, GaussianPerValue
from vae.model.likelihoods.levels import Array
from vae.model.likelihoods.logistic_mixture import LogisticMixture


class Likelihood(Protocol):
    """A distribution of images, given the decoder's output for z. The pixels are independent."""

    unit: str
    """What the nats of `nll` are of, for printed lines and documents. Those of two units cannot be compared."""
    metric_prefix: str
    """The beginning of the names of this likelihood's metrics, so that no name in a file has two units.

    Metrics of binarized images need none: they are in a file of their own.
    """
    is_density: bool
    """Whether p(x|z) is a density, whose bits per dimension depend on the scale of the values."""
    binarizes: bool
    """Whether the stages draw the pixels of images, 0 or 1, before the model sees them. It takes no other images."""

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

    def unfit(self, images: Array) -> str:
        """Return in a sentence why the likelihood does not fit images with such values, or the empty string."""


LIKELIHOODS: Mapping[str, Callable[[], Likelihood]] = MappingProxyType(
    {
        "bernoulli": Bernoulli,
        "binarized": Binarized,
        "continuous_bernoulli": ContinuousBernoulli,
        "gaussian": Gaussian,
        "gaussian_per_value": GaussianPerValue,
        "logistic_mixture": LogisticMixture,
    }
)
