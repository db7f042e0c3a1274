"""A mixture of Gaussians as the prior."""

import keras
import numpy as np
from keras import KerasTensor, ops

from vae.model.priors.learned import LearnedPrior, log_mixture
from vae.model.sampling import bounded


class GaussianMixture(LearnedPrior):
    """A mixture of Gaussians with diagonal covariances, whose weights, means and variances are trained.

    Tomczak & Welling, "VAE with a VampPrior" (2018), https://arxiv.org/abs/1705.07120, compare with it. The means start
    as draws from N(0, I), and all variances at one. The log-variances have the same bound as in q(z|x).

    Args:
        latent_dim: the number of latent dimensions.
        encoder: not used.
        components: C, the number of Gaussians.
    """

    def __init__(self, latent_dim: int, encoder: keras.Model | None = None, components: int = 100) -> None:
        super().__init__(latent_dim)
        self.logits = self.add_weight((components,), "zeros", name="logits")
        # Three dimensions, since Muon would make a matrix of means orthogonal; it leaves these to Adam.
        shape = (1, components, latent_dim)
        self.means = self.add_weight(shape, keras.initializers.RandomNormal(stddev=1.0), name="means")
        self.log_vars = self.add_weight(shape, "zeros", name="log_vars")

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        return log_mixture(z, ops.log_softmax(self.logits), self.means[0], bounded(self.log_vars[0]))

    def sample(self, count: int, seed: int | None) -> KerasTensor:
        component_seed, noise_seed = map(int, np.random.SeedSequence(seed).generate_state(2))
        chosen = keras.random.categorical(self.logits[None], count, seed=component_seed)[0]
        noise = keras.random.normal((count, self.latent_dim), seed=noise_seed)
        mean, log_var = (ops.take(values[0], chosen, axis=0) for values in (self.means, self.log_vars))
        return mean + ops.exp(0.5 * bounded(log_var)) * noise
