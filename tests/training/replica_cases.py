"""What is trained on one replica and on several, which must give the same."""

from typing import Any, NamedTuple


class Case(NamedTuple):
    """A training."""

    train: dict[str, Any]
    """Its settings."""
    model: dict[str, Any]
    """The settings of its model."""
    replicas: tuple[int, ...]
    """The numbers of replicas."""
    compared: int = 1
    """The step whose momentum is compared, from 1. If it is the third, one replica takes three steps at once."""


CASES = {
    "labels, free bits and dropout": Case({"free_bits": 0.05}, {"dropout": 0.5, "conditional": True}, (1, 2)),
    "DReG, VampPrior and binarization": Case(
        {"objective": "dreg", "samples": 3},
        {"architecture": "mlp", "prior": "vampprior", "likelihood": "binarized"},
        (1, 2, 4),
    ),
    "several steps at once": Case({}, {"architecture": "mlp"}, (1, 2), compared=3),
    "Muon with weight decay": Case({"optimizer": "muon", "weight_decay": 0.1}, {}, (1, 2)),
}
IMAGES, BATCH_SIZE = 21, 8
"""Three steps. Two and four replicas cannot divide the five images of the last one equally."""
HELD_OUT, HELD_OUT_BATCH = 23, 6
"""Four batches, which three steps at once do not divide."""
