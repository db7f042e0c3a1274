"""The accuracy of a classifier, with its standard error, and what a classifier needs: labels of several classes."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError

Labels = NDArray[np.integer[Any]]


def has_classes(labels: Labels | None) -> bool:
    """Return whether there are labels (n,), and among them at least two classes: something to tell apart."""
    return labels is not None and len(np.unique(labels)) > 1


def check_classes(labels: Labels) -> None:
    """Refuse labels (n,) of training images that name only one class.

    Raises:
        InputError: as in the first line.
    """
    if not has_classes(labels):
        raise InputError("the training images are all of one class, but at least two classes are needed.")


def accuracy(predicted: Labels, labels: Labels) -> dict[str, float | int]:
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
