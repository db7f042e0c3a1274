"""The priors p(z) that `model.prior` names. A new one is one module and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from keras import KerasTensor

from vae.model.priors.standard import StandardNormal


class Prior(Protocol):
    """A distribution of latent vectors (latent_dim,)."""

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        """Return log p(z), (batch,), in nats, of latent vectors (batch, latent_dim)."""

    def sample(self, count: int, latent_dim: int, seed: int | None) -> KerasTensor:
        """Draw latent vectors, (count, latent_dim)."""

    def kl(self, z_mean: KerasTensor, z_log_var: KerasTensor, z: KerasTensor) -> KerasTensor:
        """Return KL(q(z|x) || p(z)) in nats per image, (batch,): in closed form, or estimated at the samples z."""


PRIORS: Mapping[str, Prior] = MappingProxyType({"standard": StandardNormal()})
