"""A RealNVP flow as the prior."""

import keras
from keras import KerasTensor, layers, ops

from vae.model.priors.learned import LearnedPrior
from vae.model.priors.standard import StandardNormal

MAX_ABS_LOG_SCALE = 2.0
"""The bound on the log-scales of a coupling, by a tanh with the slope one at zero. Couplings multiply."""


class RealNVP(LearnedPrior):
    """The distribution of z where affine couplings map z to noise u ~ N(0, I): log p(z) = log N(u; 0, I) + log|du/dz|.

    Dinh et al., "Density estimation using Real NVP" (2017), https://arxiv.org/abs/1605.08803, equations 3 to 8; as the
    prior of a VAE: Xu et al., "On the Necessity and Effectiveness of Learning the Prior of Variational Auto-Encoder"
    (2019), https://arxiv.org/abs/1905.13452. Each coupling keeps one half a of the dimensions, and maps the other half
    b to b * exp(log_scale(a)) + shift(a); the halves then change roles. The Jacobian is triangular, so that the
    logarithm of its determinant is the sum of the log-scales.

    The last layer of each conditioner starts at zero. Each coupling is then the identity, and p(z) is N(0, I).

    Args:
        latent_dim: the number of latent dimensions, at least two.
        encoder: not used.
        couplings: the number of couplings.
        hidden: the units in each of the two hidden layers of a conditioner.
    """

    def __init__(
        self, latent_dim: int, encoder: keras.Model | None = None, couplings: int = 12, hidden: int = 192
    ) -> None:
        super().__init__(latent_dim)
        self.noise = StandardNormal(latent_dim)
        sizes = [latent_dim // 2, latent_dim - latent_dim // 2]
        self.kept = sizes[couplings % 2]  # the size of a after the last exchange
        self.first = sizes[0]
        self.conditioners = [
            _conditioner(sizes[number % 2], sizes[(number + 1) % 2], hidden, name=f"coupling_{number + 1}")
            for number in range(couplings)
        ]

    def log_prob(self, z: KerasTensor) -> KerasTensor:
        u, log_det = self.to_noise(z)
        return self.noise.log_prob(u) + log_det

    def sample(self, count: int, seed: int | None) -> KerasTensor:
        return self.to_latents(self.noise.sample(count, seed))

    def to_noise(self, z: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """Return u, (batch, latent_dim), and log|du/dz|, (batch,), of latent vectors z (batch, latent_dim)."""
        z = ops.convert_to_tensor(z, "float32")
        a, b, log_det = z[:, : self.first], z[:, self.first :], 0.0
        for conditioner in self.conditioners:
            log_scale, shift = _affine(conditioner, a)
            a, b = b * ops.exp(log_scale) + shift, a
            log_det += ops.sum(log_scale, axis=-1)
        return ops.concatenate([a, b], axis=-1), log_det

    def to_latents(self, u: KerasTensor) -> KerasTensor:
        """Return z, (batch, latent_dim), of noise u (batch, latent_dim): the inverse of `to_noise`."""
        a, b = u[:, : self.kept], u[:, self.kept :]
        for conditioner in reversed(self.conditioners):
            log_scale, shift = _affine(conditioner, b)
            a, b = b, (a - shift) * ops.exp(-log_scale)
        return ops.concatenate([a, b], axis=-1)


def _conditioner(kept: int, mapped: int, hidden: int, name: str) -> keras.Sequential:
    """Return a network from the half that is kept to the log-scales and the shifts of the other."""
    return keras.Sequential(
        [
            keras.Input((kept,)),
            layers.Dense(hidden, activation="relu", dtype="float32", name="hidden_1"),
            layers.Dense(hidden, activation="relu", dtype="float32", name="hidden_2"),
            layers.Dense(2 * mapped, kernel_initializer="zeros", dtype="float32", name="affine"),
        ],
        name=name,
    )


def _affine(conditioner: keras.Sequential, a: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Return log_scale and shift, (batch, mapped) each, of the half a (batch, kept)."""
    log_scale, shift = ops.split(conditioner(a), 2, axis=-1)
    return MAX_ABS_LOG_SCALE * ops.tanh(log_scale / MAX_ABS_LOG_SCALE), shift
