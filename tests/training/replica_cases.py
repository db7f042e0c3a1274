"""What is trained on one replica and on several, which must give the same."""

from typing import Any

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[int, ...]]] = {
    "labels, free bits and dropout": ({"free_bits": 0.05}, {"dropout": 0.5, "conditional": True}, (1, 2)),
    "DReG, VampPrior and binarization": (
        {"objective": "dreg", "samples": 3},
        {"architecture": "mlp", "prior": "vampprior", "likelihood": "binarized"},
        (1, 2, 4),
    ),
}
"""The settings of the training and of the model, and the numbers of replicas."""
IMAGES, BATCH_SIZE = 21, 8  # the last batch has five images, which two and four replicas cannot divide equally
