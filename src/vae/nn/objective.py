"""The negative evidence lower bound (ELBO) of a VAE with a Gaussian posterior and Bernoulli pixels.

Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), https://arxiv.org/abs/1312.6114:

    -ELBO(x) = -E_{q(z|x)}[log p(x|z)] + KL(q(z|x) || p(z))
             =     reconstruction      +        kl

Both terms are sums over their dimensions, in nats per image. Averaging over images is left to the caller.
"""

from keras import KerasTensor, ops


def reconstruction_nats(images: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """Bernoulli cross-entropy -sum(x log p + (1 - x) log(1 - p)) with p = sigmoid(logits).

    Grey levels x in [0, 1] are not outcomes of a Bernoulli variable. Since the expression is linear in x, it is then
    the expected negative log-likelihood of the image binarized at random, with P(pixel = 1) = x.

    Args:
        images: (batch, height, width, channels), values in [0, 1].
        logits: the same shape, unbounded.

    Returns:
        (batch,): nats per image, summed over all pixels and channels.
    """
    # softplus(l) - l x is the cross-entropy without the logarithm of a rounded sigmoid.
    return ops.sum(ops.softplus(logits) - logits * images, axis=(1, 2, 3))


def kl_nats(z_mean: KerasTensor, z_log_var: KerasTensor) -> KerasTensor:
    """KL(N(z_mean, diag exp(z_log_var)) || N(0, I)): appendix B of Kingma & Welling (2014).

    Args:
        z_mean: (batch, latent_dim).
        z_log_var: (batch, latent_dim), the logarithm of the variance.

    Returns:
        (batch,): nats per image, summed over the latent dimensions.
    """
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - 1.0 - z_log_var, axis=-1)
