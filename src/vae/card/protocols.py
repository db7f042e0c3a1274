"""What the bounds on the likelihood are of: a nat of one likelihood is not a nat of another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Protocol(NamedTuple):
    """A form of the images whose likelihood is bounded."""

    title: str
    meaning: str


GREY, BINARIZED = "grey", "binarized"
DENSITY = (
    "A density is not a probability: the loss may be negative, and depends on the scale of the values. Bits per "
    "dimension are left out, since readers would compare them with likelihoods of 256 levels."
)
PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        GREY: Protocol(
            "grey levels as Bernoulli targets",
            "This is not a likelihood of the grey images, since grey levels are not outcomes of a Bernoulli variable. "
            "It is an upper bound on the expected negative log-likelihood of the image binarized at random.",
        ),
        BINARIZED: Protocol(
            "images binarized at random",
            "Each pixel was drawn once, with a fixed seed: it is 1 with the probability of its grey level. Results for "
            "images that were binarized in another way, or thresholded, are not comparable.",
        ),
        "continuous_bernoulli": Protocol("continuous Bernoulli density", DENSITY),
        "gaussian": Protocol("Gaussian density", DENSITY),
        "gaussian_per_value": Protocol(
            "Gaussian density with a variance for each value",
            DENSITY,
        ),
        "logistic_mixture": Protocol(
            "8-bit levels",
            "These are probabilities of the 256 levels. Bits per dimension compare with published ones for the same "
            "images.",
        ),
    }
)
"""By the name of the section in `reports/details/evaluate.json`."""
