"""The evidence lower bound."""

from keras import KerasTensor


class Elbo:
    """The negative evidence lower bound (ELBO), an upper bound on -log p(x).

    Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), equation 3, https://arxiv.org/abs/1312.6114:

        -ELBO(x) = -E_{q(z|x)}[log p(x|z)] + KL(q(z|x) || p(z))
                 =     reconstruction      +        kl
    """

    def loss(self, reconstruction: KerasTensor, kl: KerasTensor) -> KerasTensor:
        """Return the sum of the terms, (batch,), in nats per image."""
        return reconstruction + kl
