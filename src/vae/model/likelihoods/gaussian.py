"""Gaussian likelihoods, with one variance for all values or one for each value."""

import math

import keras
from keras import KerasTensor, layers, ops

from vae.model.likelihoods.levels import Array, unfit_for_density

MIN_LOG_VAR = -math.log(12 * 255**2)
"""The smallest log-variance: the variance of the error that rounding to 8-bit levels makes, uniform over 1/255.

Without a bound the density grows without end wherever the decoder is exact, for example at pixels that are always
black. Below this one it would describe how images are stored. No value contributes less than -5.9 nats.
"""
UNIT = "nats per image of a density on the real numbers"


class Gaussian(layers.Layer):
    """Independent values x ~ N(sigmoid(a), v), where a is the decoder's output and the layer's one weight decides v.

    Rybkin et al., "Simple and Effective VAE Training with Calibrated Decoders" (2021), https://arxiv.org/abs/2006.13202,
    who call it σ-VAE. It needs no weight between the terms of the loss. The sigmoid keeps means within [0, 1], as
    pixels are. Samples are not clipped: the distribution extends beyond [0, 1]. Pictures show means.
    """

    unit = UNIT
    metric_prefix = "gaussian_"
    is_density = True
    binarizes = False

    def __init__(self, name: str = "gaussian") -> None:
        super().__init__(name=name, dtype="float32")
        self.raw = self.add_weight(shape=(), initializer="zeros", name="raw_log_variance")
        self.built = True  # no method that Keras calls does it

    def outputs(self, channels: int) -> int:
        """Return one output for each value."""
        return channels

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return sum(log(2 π v) + (x - mean)² / v) / 2, (batch,), in nats per image. It may be negative.

        Args:
            images: (batch, height, width, channels), values in [0, 1].
            parameters: the means' logits, of the same shape.
        """
        return _nll(images, self.mean(parameters), log_variance(self.raw))

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the means, of the shape of the parameters, in [0, 1]."""
        return ops.sigmoid(parameters)

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw values, of the shape of the parameters. Some lie outside [0, 1]."""
        return _sample(self.mean(parameters), log_variance(self.raw), seed)

    def unfit(self, images: Array) -> str:
        """Return why the density does not fit images with such values, or the empty string."""
        return unfit_for_density("gaussian", images)


class GaussianPerValue:
    """Independent values x ~ N(sigmoid(a), v), where the decoder yields a and what decides v for each value.

    Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), appendix C.2, https://arxiv.org/abs/1312.6114. The
    parameters (..., 2 * channels) are the means' logits, then the arguments of `log_variance`.
    """

    unit = UNIT
    metric_prefix = "gaussian_pv_"
    is_density = True
    binarizes = False

    def outputs(self, channels: int) -> int:
        """Return two outputs for each value."""
        return 2 * channels

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return sum(log(2 π v) + (x - mean)² / v) / 2, (batch,), in nats per image. It may be negative.

        Args:
            images: (batch, height, width, channels), values in [0, 1].
            parameters: (batch, height, width, 2 * channels).
        """
        return _nll(images, self.mean(parameters), self._log_variances(parameters))

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the means, (..., channels), in [0, 1]."""
        return ops.sigmoid(parameters[..., : parameters.shape[-1] // 2])

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw values, (..., channels). Some lie outside [0, 1]."""
        return _sample(self.mean(parameters), self._log_variances(parameters), seed)

    def unfit(self, images: Array) -> str:
        """Return why the density does not fit images with such values, or the empty string."""
        return unfit_for_density("gaussian_per_value", images)

    def _log_variances(self, parameters: KerasTensor) -> KerasTensor:
        return log_variance(parameters[..., parameters.shape[-1] // 2 :])


def log_variance(raw: KerasTensor) -> KerasTensor:
    """Return log v between `MIN_LOG_VAR` and 0, of the same shape: the identity but for a shift and soft ends.

    Errors of values and means in [0, 1] are at most 1, so a variance above 1 never fits better. Zero gives v = 1/12,
    the variance of a uniform value, from which the training starts. The ends are soft, as in Chua et al., "Deep
    Reinforcement Learning in a Handful of Trials" (2018), appendix A.1, https://arxiv.org/abs/1805.12114: where a hard
    one clips, the gradient is zero, and the value stays there.
    """
    below_one = -ops.softplus(math.log(11) - raw)
    return MIN_LOG_VAR + ops.softplus(below_one - MIN_LOG_VAR)


def _nll(images: KerasTensor, mean: KerasTensor, log_var: KerasTensor) -> KerasTensor:
    square = ops.square(images - mean) * ops.exp(-log_var)
    return 0.5 * ops.sum(math.log(2 * math.pi) + log_var + square, axis=(1, 2, 3))


def _sample(mean: KerasTensor, log_var: KerasTensor, seed: int) -> KerasTensor:
    return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=seed)
