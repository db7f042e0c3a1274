"""The evidence lower bound, with a weight of the KL and free bits."""

from keras import KerasTensor, ops

from vae.model.objectives.draws import Draws, Options
from vae.model.priors.standard import StandardNormal
from vae.model.replicas import batch_mean

NEGATIVE_ELBO = "−ELBO"
"""The name of the loss without weights."""


class Elbo:
    """The negative evidence lower bound (ELBO), an upper bound on -log p(x).

    Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), equation 3, https://arxiv.org/abs/1312.6114:

        -ELBO(x) = -E_{q(z|x)}[log p(x|z)] + KL(q(z|x) || p(z))
                 =     reconstruction      +        kl

    With `beta` other than 1 the KL has that weight: Higgins et al., "beta-VAE" (2017). With `beta_warmup` the weight
    rises from zero in that many steps: Sønderby et al., "Ladder Variational Autoencoders" (2016).

    With `free_bits` λ, the KL is the sum over the latent dimensions of max(λ, KL of the dimension averaged over the
    batch): Kingma et al., "Improving variational inference with inverse autoregressive flow" (2016), appendix C.8,
    https://arxiv.org/abs/1606.04934. It needs the KL of each dimension, which the standard prior has.

    Args:
        options: all of them are used.
    """

    def __init__(self, options: Options) -> None:
        self.samples, self.options = options.samples, options
        self.loss_name = NEGATIVE_ELBO
        if options.beta_warmup:
            self.loss_name += ", KL warmed up" + (f" to {options.beta:g}" if options.beta != 1 else "")
        elif options.beta != 1:
            self.loss_name += f", KL weighted by {options.beta:g}"
        if options.free_bits:
            self.loss_name += f", {options.free_bits:g} nats free per dimension"

    def draw(self, z: KerasTensor) -> KerasTensor:
        """Return the draws as they are."""
        return z

    def loss(self, draws: Draws, step: KerasTensor | int) -> KerasTensor:
        """Return the weighted sum of the terms, (batch,), in nats per image."""
        kl = self._free(draws) if self.options.free_bits else draws.mean(draws.kl)
        return draws.mean(draws.reconstruction) + self._weighted(kl, step)

    def _weighted(self, kl: KerasTensor, step: KerasTensor | int) -> KerasTensor:
        beta, warmup = self.options.beta, self.options.beta_warmup
        if warmup:
            return beta * ops.minimum(1.0, ops.cast(step, kl.dtype) / warmup) * kl
        return kl if beta == 1 else beta * kl

    def _free(self, draws: Draws) -> KerasTensor:
        assert isinstance(draws.prior, StandardNormal)
        each = batch_mean(draws.prior.kl_per_dimension(draws.z_mean, draws.z_log_var))
        total = ops.sum(ops.maximum(each, self.options.free_bits))
        return ops.broadcast_to(total, ops.shape(draws.mean(draws.reconstruction)))
