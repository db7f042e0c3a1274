"""The mixture of discretized logistic distributions, a likelihood of 8-bit levels."""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import KerasTensor, ops

from vae.model.likelihoods.levels import Array, are_8_bit, is_black_and_white

COMPONENTS = 5
HALF = 1 / 255
"""Half the distance between two levels, where the 256 levels are spread over [-1, 1]."""
MAX_ABS_LOG_SCALE = 7.0
"""The bound on log-scales. The published code has the lower one, a ninth of a level. At the upper one, [-1, 1] is
a five-hundredth of the scale, and nearly all probability is at its two ends. It keeps probabilities above zero.
"""
Values = list[KerasTensor]


class Components(NamedTuple):
    """The components of the mixture at each pixel, in [-1, 1]."""

    log_weights: KerasTensor
    """(..., components): the logarithms of their probabilities, which all channels share."""
    means: KerasTensor
    """(..., channels, components): the means, before the shift by the channels that precede."""
    log_scales: KerasTensor
    """(..., channels, components)."""
    coefficients: KerasTensor
    """(..., channels * (channels - 1) / 2, components), in [-1, 1]: of red for green; of red and of green for blue."""

    def means_given(self, previous: Values) -> KerasTensor:
        """Return the means of the next channel, (..., components), given the values of the channels that precede it.

        Salimans et al. (2017), equation 3: linear functions of these values, which broadcast to (..., components).
        """
        channel = len(previous)
        means, first = self.means[..., channel, :], channel * (channel - 1) // 2
        for index, values in enumerate(previous):
            means = means + self.coefficients[..., first + index, :] * values
        return means


class LogisticMixture:
    """Pixels of 8-bit levels k/255 from a mixture of logistic distributions, rounded to the levels.

    Salimans et al., "PixelCNN++" (2017), sections 2.1 and 2.2, https://arxiv.org/abs/1701.05517. A level has the
    logistic probability of the interval that rounds to it. The intervals of 0 and 1 extend to infinity. The component
    is drawn once for a pixel. Given the component, the mean of green depends on red, and the mean of
    blue depends on both.
    """

    unit = "nats per image of 8-bit levels"
    metric_prefix = "dlm_"
    is_density = False
    binarizes = False

    def outputs(self, channels: int) -> int:
        """Return the outputs for one pixel: for each component a weight, and the means, scales and coefficients."""
        return COMPONENTS * math.comb(channels + 2, 2)  # 1 + 2 channels + channels (channels - 1) / 2

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return -log of the probability of the images' levels, (batch,), in nats per image.

        Args:
            images: (batch, height, width, channels), levels k/255.
            parameters: (batch, height, width, outputs).
        """
        components = split(parameters)
        log_probabilities, previous = components.log_weights, Values()
        for channel in range(images.shape[-1]):
            values = 2 * images[..., channel : channel + 1] - 1
            means, log_scales = components.means_given(previous), components.log_scales[..., channel, :]
            log_probabilities = log_probabilities + log_probability(values, means, log_scales)
            previous.append(values)
        return -ops.sum(ops.logsumexp(log_probabilities, axis=-1), axis=(1, 2))

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the means of the levels, (..., channels), in [0, 1].

        The first channel's is exact to half a level. The others' means given the previous channels are taken at these
        channels' means, which is exact unless a mean is near 0 or 1.
        """
        components = split(parameters)
        means = _by_channel(components, lambda means, log_scales, _: mean_level(means, log_scales))
        weights = ops.exp(ops.expand_dims(components.log_weights, -2))
        return ops.clip((ops.sum(weights * means, axis=-1) + 1) / 2, 0, 1)

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw levels k/255, (..., channels)."""
        components = split(parameters)
        shape = (*ops.shape(parameters)[:-1], components.means.shape[-2] + 1)
        uniform = keras.random.uniform(shape, seed=seed)
        logistic = ops.log(uniform) - ops.log1p(-uniform)

        def draw(means: KerasTensor, log_scales: KerasTensor, channel: int) -> KerasTensor:
            return nearest_level(means + ops.exp(log_scales) * logistic[..., channel : channel + 1])

        # The last of the uniform numbers chooses the component.
        bounds = ops.cumsum(ops.exp(components.log_weights), axis=-1)[..., :-1]
        chosen = ops.one_hot(ops.sum(ops.cast(uniform[..., -1:] > bounds, "int32"), axis=-1), COMPONENTS)
        values = ops.sum(_by_channel(components, draw) * ops.expand_dims(chosen, -2), axis=-1)
        return ops.round(255 * (values + 1) / 2) / 255

    def unfit(self, images: Array) -> str:
        """Return why the 256 levels do not fit images with such values, or the empty string."""
        if is_black_and_white(images):
            found, right = "only the values 0 and 1", "bernoulli or binarized"
        elif not are_8_bit(images):
            found, right = "values between them", "continuous_bernoulli or gaussian"
        else:
            return ""
        return (
            f"model.likelihood is logistic_mixture, of the 256 levels k/255, but the images have {found}: "
            f"choose {right}."
        )


def split(parameters: KerasTensor) -> Components:
    """Return the components that the decoder's outputs (..., outputs) describe."""
    each = parameters.shape[-1] // COMPONENTS
    channels = (math.isqrt(8 * each + 1) - 3) // 2  # the inverse of `outputs`
    rows = ops.reshape(parameters, (*ops.shape(parameters)[:-1], each, COMPONENTS))
    return Components(
        ops.log_softmax(rows[..., 0, :], axis=-1),
        rows[..., 1 : 1 + channels, :],
        ops.clip(rows[..., 1 + channels : 1 + 2 * channels, :], -MAX_ABS_LOG_SCALE, MAX_ABS_LOG_SCALE),
        ops.tanh(rows[..., 1 + 2 * channels :, :]),
    )


def log_probability(values: KerasTensor, means: KerasTensor, log_scales: KerasTensor) -> KerasTensor:
    """Return the log-probability of levels, (..., components): of the logistic distribution's interval around each.

    The published code replaces small differences of two sigmoids by the density times the width. Here the difference
    is written as a product, whose logarithm is accurate at any size:

        sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b))

    At the lowest level a is -infinity, and at the highest level b is infinity.

    Args:
        values: (..., 1), levels in [-1, 1].
        means: (..., components).
        log_scales: (..., components), within `MAX_ABS_LOG_SCALE`.
    """
    is_lowest, is_highest = values < HALF - 1, values > 1 - HALF
    precision = ops.exp(-log_scales)
    a, b = precision * (values - means - HALF), precision * (values - means + HALF)
    width = ops.log(-ops.expm1(-2 * HALF * precision))
    return (
        ops.where(is_highest, 0.0, -ops.softplus(-b))
        + ops.where(is_lowest, 0.0, -ops.softplus(a))
        + ops.where(ops.logical_or(is_lowest, is_highest), 0.0, width)
    )


def mean_level(means: KerasTensor, log_scales: KerasTensor) -> KerasTensor:
    """Return the mean of a logistic variable whose values beyond [-1, 1] are moved to -1 and 1, in [-1, 1].

    With scale s and mean -m <= 0, it is -1 + s (softplus((1 - m) / s) - softplus((-1 - m) / s)), the integral of the
    probability of larger values. The mean of the levels is its midpoint rule at the 255 bounds between the levels.
    """
    scales, size = ops.exp(log_scales), ops.abs(means)
    above_end = scales * (ops.softplus((1 - size) / scales) - ops.softplus((-1 - size) / scales))
    return ops.sign(means) * (1 - above_end)


def nearest_level(values: KerasTensor) -> KerasTensor:
    """Return the nearest of the 256 levels in [-1, 1]."""
    return ops.round((ops.clip(values, -1, 1) + 1) / (2 * HALF)) * 2 * HALF - 1


def _by_channel(components: Components, values: Callable[[KerasTensor, KerasTensor, int], KerasTensor]) -> KerasTensor:
    """Return `values(means, log_scales, channel)` of all channels, (..., channels, components), from first to last."""
    found = Values()
    for channel in range(components.means.shape[-2]):
        found.append(values(components.means_given(found), components.log_scales[..., channel, :], channel))
    return ops.stack(found, axis=-2)
