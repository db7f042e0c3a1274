"""The objectives that `train.objective` names. A new one is one module and one line here.

An objective is what training minimizes. Validation and evaluation measure the plain bounds, whatever the objective.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from keras import KerasTensor

from vae.model.objectives.draws import Draws, Options
from vae.model.objectives.elbo import Elbo
from vae.model.objectives.importance_weighted import DoublyReparameterized, ImportanceWeighted


class Objective(Protocol):
    """The function of the bound's terms that training minimizes."""

    samples: int
    """The number of draws of z for each image."""
    loss_name: str
    """What training minimizes, for the training curves: −ELBO, or how it differs from that."""

    def draw(self, z: KerasTensor) -> KerasTensor:
        """Return draws of z as they are; an objective may change the gradients that flow back through them."""

    def loss(self, draws: Draws, step: KerasTensor | int) -> KerasTensor:
        """Return the loss of each image, (batch,), in nats.

        Args:
            draws: the terms of the bound at each draw of z.
            step: the number of training steps so far.
        """


OBJECTIVES: Mapping[str, Callable[[Options], Objective]] = MappingProxyType(
    {"elbo": Elbo, "iwae": ImportanceWeighted, "dreg": DoublyReparameterized}
)
