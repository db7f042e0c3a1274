"""The accuracy of a classifier, with its standard error."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def accuracy(predicted: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]) -> dict[str, float | int]:
    """Return the share of correct predictions, and its binomial standard error sqrt(p (1 - p) / n).

    Args:
        predicted: (n,), class indices.
        labels: (n,), the true class indices.

    Returns:
        `accuracy` and `standard_error`, in [0, 1], and the number of `images`.

    Raises:
        ValueError: there are no images, or the shapes differ.
    """
    if predicted.shape != labels.shape or labels.ndim != 1 or not len(labels):
        raise ValueError(f"Predictions {predicted.shape} and labels {labels.shape} must be vectors of equal length.")
    p = float(np.mean(predicted == labels))
    return {"accuracy": p, "standard_error": math.sqrt(p * (1 - p) / len(labels)), "images": len(labels)}
