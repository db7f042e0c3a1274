"""What the objectives are made of: draws of z ~ q(z|x), and the terms of the bound at each of them."""

from typing import NamedTuple

from keras import KerasTensor, ops

from vae.model.priors import Prior
from vae.model.priors.learned import log_normal


class Options(NamedTuple):
    """The parameters of the objectives, as in section `train` of `params.yaml`."""

    samples: int = 1
    """k, the number of draws of z for each image."""
    beta: float = 1.0
    """The weight of the KL."""
    beta_warmup: int = 0
    """The number of steps in which the weight rises in a straight line from zero to `beta`."""
    free_bits: float = 0.0
    """The nats of each latent dimension, averaged over a batch, below which its KL is not penalized."""


class Draws(NamedTuple):
    """Draws of z for a batch of images: the first draw for all images, then the second, (samples * batch, …)."""

    reconstruction: KerasTensor
    """(samples * batch,): -log p(x|z), in nats."""
    z_mean: KerasTensor
    """(samples * batch, latent_dim), of q(z|x)."""
    z_log_var: KerasTensor
    """(samples * batch, latent_dim), of q(z|x)."""
    z: KerasTensor
    """(samples * batch, latent_dim)."""
    kl: KerasTensor
    """(samples * batch,): KL(q(z|x) || p(z)) as the prior computes it, in nats."""
    prior: Prior
    samples: int

    def log_weights(self, z_mean: KerasTensor, z_log_var: KerasTensor) -> KerasTensor:
        """Return log p(x|z) + log p(z) - log q(z|x), (samples, batch), in nats.

        Args:
            z_mean: the mean of q in the last term: `z_mean`, or without its gradient.
            z_log_var: likewise.
        """
        log_q = log_normal(self.z, z_mean, z_log_var)
        return ops.reshape(self.prior.log_prob(self.z) - self.reconstruction - log_q, (self.samples, -1))

    def mean(self, values: KerasTensor) -> KerasTensor:
        """Return the average over the draws, (batch,), of values (samples * batch,)."""
        return values if self.samples == 1 else ops.mean(ops.reshape(values, (self.samples, -1)), axis=0)
