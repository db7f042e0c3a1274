"""What the priors with weights share: the KL estimated at a sample, and the densities of Gaussians."""

import math
from collections.abc import Callable
from typing import Any

from keras import KerasTensor, layers, ops


class LearnedPrior(layers.Layer):
    """A prior whose weights the model trains and saves, and whose KL has no closed form.

    Subclasses create their weights when they are made, since a model never calls its prior.

    Args:
        latent_dim: the number of latent dimensions.
    """

    has_exact_kl = False

    def __init__(self, latent_dim: int) -> None:
        super().__init__(name="prior", dtype="float32")
        self.latent_dim = latent_dim
        self.built = True

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        """Return log p(z), (batch,), in nats, of latent vectors (batch, latent_dim)."""
        raise NotImplementedError

    def density(self) -> Callable[[KerasTensor], KerasTensor]:
        """Return `log_prob`, or what it computes with the present weights, if that is faster for many calls."""
        return self.log_prob

    def sample(self, count: int, seed: int | None) -> KerasTensor:
        """Draw latent vectors, (count, latent_dim)."""
        raise NotImplementedError

    @property
    def needs_images(self) -> bool:
        """Whether the prior starts from training images and has not been given any."""
        return False

    def initialize(self, images: Any, seed: int) -> None:
        """Do nothing, unless the prior starts from training images."""

    def kl(self, z_mean: KerasTensor, z_log_var: KerasTensor, z: KerasTensor | None = None) -> KerasTensor:
        """Return log q(z|x) - log p(z), (batch,), in nats: an unbiased estimate of KL(q(z|x) || p(z)).

        Kingma & Welling (2014), https://arxiv.org/abs/1312.6114, equation 6, their estimator A, with one sample. Unlike
        the KL, an estimate may be negative.

        Args:
            z_mean: (batch, latent_dim), the mean of q(z|x).
            z_log_var: (batch, latent_dim), the logarithm of its variance.
            z: (batch, latent_dim), one sample of q(z|x) for each image.
        """
        z_mean, z_log_var, z = (ops.convert_to_tensor(values, "float32") for values in (z_mean, z_log_var, z))
        return log_normal(z, z_mean, z_log_var) - self.log_prob(z)


def log_normal(z: KerasTensor, mean: KerasTensor, log_var: KerasTensor) -> KerasTensor:
    """Return log N(z; mean, diag exp(log_var)) in nats, (…), of vectors (…, latent_dim); the shapes broadcast.

    The rounding of z in float32 adds to its distance from the mean: 0.08 nats for a mean of 10 and a log-variance of
    -30.
    """
    squares = ops.sum(ops.square(z - mean) * ops.exp(-log_var), axis=-1)
    return -0.5 * (squares + ops.sum(log_var + math.log(2 * math.pi), axis=-1))


def log_mixture(z: KerasTensor, log_weights: KerasTensor, means: KerasTensor, log_vars: KerasTensor) -> KerasTensor:
    """Return log sum_c w_c N(z; mean_c, diag exp(log_var_c)) in nats, (batch,).

    Each difference z - mean_c is computed and then squared. Expanding the square into products of matrices would
    cancel digits in float32 where a variance is small.

    Args:
        z: (batch, latent_dim).
        log_weights: (components,), the logarithms of weights that sum to one.
        means: (components, latent_dim).
        log_vars: (components, latent_dim).
    """
    z = ops.expand_dims(ops.convert_to_tensor(z, "float32"), -2)
    return ops.logsumexp(log_weights + log_normal(z, means, log_vars), axis=-1)
