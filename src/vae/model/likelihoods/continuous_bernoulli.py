"""The continuous Bernoulli likelihood: the Bernoulli expression of grey levels, normalized to a density on [0, 1]."""

import keras
from keras import KerasTensor, ops

from vae.model.likelihoods.levels import Array, unfit_for_density

NEAR = 0.25
"""Logits closer to zero than this use a Taylor polynomial.

The closed form of the mean subtracts two terms of about 1/l. At 0.25 this costs three bits. The first term that is left
out of the series is at most 1e-14 in A, and 1e-13 in the mean.
"""
SMALLEST = 1e-6
"""The smallest absolute logit that `quantile` uses. Its distribution differs from the uniform one by less than 2e-7."""


class ContinuousBernoulli:
    """Independent pixels in [0, 1] with the density C p^x (1 - p)^(1 - x), where p = sigmoid(l), and l are the logits.

    Loaiza-Ganem & Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders" (2019),
    https://arxiv.org/abs/1907.06845. With C = 2 artanh(1 - 2p) / (1 - 2p), the density is

        exp(l x - A(l)),    A(l) = log((exp(l) - 1) / l),    A(0) = 0

    The logits are the natural parameters of an exponential family: A' is the mean, which is not p.
    """

    unit = "nats per image of a density on [0, 1]"
    metric_prefix = "cb_"
    is_density = True
    binarizes = False

    def outputs(self, channels: int) -> int:
        """Return one output for each value."""
        return channels

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return sum(A(l) - l x), (batch,), in nats per image: the negative logarithm of a density. It may be negative.

        Args:
            images: (batch, height, width, channels), values in [0, 1].
            parameters: the logits, of the same shape.
        """
        return ops.sum(log_normalizer(parameters) - parameters * images, axis=(1, 2, 3))

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the means A'(l) = 1 / (1 - exp(-l)) - 1 / l of the pixels, of the shape of the logits, in [0, 1]."""
        is_near, near, far = _apart(parameters)
        square = ops.square(near)
        # The series of coth(l / 2) / 2 - 1 / l.
        series = 1 / 12 - square * (1 / 720 - square * (1 / 30240 - square / 1209600))
        size = ops.abs(far)
        # The mean's distance from the end of [0, 1] that is nearer: 1 / |l| - 1 / (exp(|l|) - 1), without overflow.
        # No expm1, which ONNX lacks: where size is at least `NEAR`, 1 - exp(-size) loses three bits.
        distance = 1 / size - ops.exp(-size) / (1 - ops.exp(-size))
        return ops.where(is_near, 0.5 + near * series, ops.where(far > 0, 1 - distance, distance))

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw values in [0, 1], of the shape of the logits."""
        return quantile(parameters, keras.random.uniform(ops.shape(parameters), seed=seed))

    def unfit(self, images: Array) -> str:
        """Return why the density does not fit images with such values, or the empty string."""
        return unfit_for_density("continuous_bernoulli", images)


def log_normalizer(logits: KerasTensor) -> KerasTensor:
    """Return A(l) = log((exp(l) - 1) / l), of the shape of the logits: minus the logarithm of the density at zero."""
    is_near, near, far = _apart(logits)
    square = ops.square(near)
    # The series of l / 2 + log(sinh(l / 2) / (l / 2)).
    series = 1 / 24 - square * (1 / 2880 - square * (1 / 181440 - square / 9676800))
    size = ops.abs(far)
    closed_form = ops.relu(far) + ops.log(-ops.expm1(-size) / size)
    return ops.where(is_near, near / 2 + square * series, closed_form)


def quantile(logits: KerasTensor, probability: KerasTensor) -> KerasTensor:
    """Return the x in [0, 1] at which the distribution function (exp(l x) - 1) / (exp(l) - 1) is `probability`.

    Args:
        logits: any shape.
        probability: in [0, 1), of the same shape. For positive logits 1 - `probability` is used: only draws need this.
    """
    size = ops.maximum(ops.abs(logits), SMALLEST)
    # For negative logits, where nothing overflows: exp(l x) = 1 - probability * (1 - exp(l)).
    x = -ops.log1p(probability * ops.expm1(-size)) / size
    return ops.where(logits > 0, 1 - x, x)


def _apart(logits: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """Return which logits are near zero, the near ones, and the others.

    Both results are as long as the logits, with harmless numbers in place of the rest. A gradient through `where` is
    zero times the derivative of the branch that is not taken, and zero times infinity would be NaN.
    """
    is_near = ops.abs(logits) < NEAR
    return is_near, ops.where(is_near, logits, 0.0), ops.where(is_near, 1.0, logits)
