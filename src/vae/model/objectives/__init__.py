"""The objectives that `train.objective` names. A new one is one module and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from keras import KerasTensor

from vae.model.objectives.elbo import Elbo


class Objective(Protocol):
    """The function of the bound's terms that training minimizes."""

    def loss(self, reconstruction: KerasTensor, kl: KerasTensor) -> KerasTensor:
        """Return the loss of each image, (batch,), in nats.

        Args:
            reconstruction: (batch,), -log p(x|z) at one sample of z.
            kl: (batch,), KL(q(z|x) || p(z)).
        """


OBJECTIVES: Mapping[str, Objective] = MappingProxyType({"elbo": Elbo()})
