"""The priors p(z) that `model.prior` names. A new one is one module and one line here.

Each model has a prior of its own, made from the number of latent dimensions and the model's encoder. A prior with
weights is a Keras layer, so that the model trains and saves them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import keras
from keras import KerasTensor

from vae.model.priors.flow import RealNVP
from vae.model.priors.mixture import GaussianMixture
from vae.model.priors.standard import StandardNormal
from vae.model.priors.vampprior import VampPrior


class Prior(Protocol):
    """A distribution of latent vectors (latent_dim,)."""

    has_exact_kl: bool
    """Whether `kl` has a closed form, which needs no samples. Otherwise it is log q(z|x) - log p(z) at the samples."""

    @property
    def needs_images(self) -> bool:
        """Whether the prior starts from training images and has not been given any: `initialize` comes first."""

    def initialize(self, images: Any, seed: int) -> None:
        """Start from training images (n, height, width, channels) in [0, 1], before the training."""

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        """Return log p(z), (batch,), in nats, of latent vectors (batch, latent_dim)."""

    def density(self) -> Callable[[KerasTensor], KerasTensor]:
        """Return `log_prob` for many calls with the present weights; what depends only on them is computed once."""

    def sample(self, count: int, seed: int | None) -> KerasTensor:
        """Draw latent vectors, (count, latent_dim)."""

    def kl(self, z_mean: KerasTensor, z_log_var: KerasTensor, z: KerasTensor | None = None) -> KerasTensor:
        """Return KL(q(z|x) || p(z)) in nats per image, (batch,): in closed form, or estimated at the samples z."""


PRIORS: Mapping[str, Callable[[int, keras.Model], Prior]] = MappingProxyType(
    {"standard": StandardNormal, "flow": RealNVP, "mixture": GaussianMixture, "vampprior": VampPrior}
)
