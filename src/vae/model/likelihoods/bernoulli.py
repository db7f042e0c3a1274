"""The Bernoulli likelihood, of grey levels as targets and of images that are binarized at random."""

import keras
from keras import KerasTensor, ops

from vae.model.likelihoods.levels import Array


class Bernoulli:
    """Independent Bernoulli pixels whose parameters are logits.

    Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), appendix C.1, https://arxiv.org/abs/1312.6114.
    """

    unit = "nats per image of the grey levels as Bernoulli targets"
    metric_prefix = ""
    is_density = False
    binarizes = False

    def outputs(self, channels: int) -> int:
        """Return one output for each value."""
        return channels

    def nll(self, images: KerasTensor, parameters: KerasTensor) -> KerasTensor:
        """Return the cross-entropy -sum(x log p + (1 - x) log(1 - p)), with p = sigmoid(logits).

        Grey levels x in [0, 1] are not outcomes of a Bernoulli variable. But the expression is linear in x, so for grey
        levels it is the expected negative log-likelihood of the image binarized at random, with P(pixel = 1) = x.

        Args:
            images: (batch, height, width, channels), values in [0, 1].
            parameters: the logits, of the same shape.

        Returns:
            (batch,): nats per image, summed over all pixels and channels.
        """
        # softplus(l) - l x is the cross-entropy without the logarithm of a rounded sigmoid.
        return ops.sum(ops.softplus(parameters) - parameters * images, axis=(1, 2, 3))

    def mean(self, parameters: KerasTensor) -> KerasTensor:
        """Return the probabilities of the pixels, of the shape of the logits, in [0, 1]."""
        return ops.sigmoid(parameters)

    def sample(self, parameters: KerasTensor, seed: int) -> KerasTensor:
        """Draw pixels that are 0 or 1, of the shape of the logits."""
        uniform = keras.random.uniform(ops.shape(parameters), seed=seed)
        return ops.cast(uniform < ops.sigmoid(parameters), "float32")

    def unfit(self, images: Array) -> str:
        """Return the empty string: any values in [0, 1] are targets or probabilities."""
        return ""


class Binarized(Bernoulli):
    """The Bernoulli likelihood of images whose pixels are drawn: P(pixel = 1) is the grey level.

    Salakhutdinov & Murray, "On the Quantitative Analysis of Deep Belief Networks" (2008), and most results on MNIST
    since. Whoever trains or evaluates the model binarizes the images: `nll` expects 0 and 1.
    """

    unit = "nats per image of images binarized at random"
    binarizes = True
