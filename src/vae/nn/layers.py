"""What Keras does not have: bounded log-variances, the sampler, and upsampling fused with a transposed convolution."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

# TAPS[r, s, t] = 1 where output 2q + r of the upsampled convolution applies its tap t to input q - s.
TAPS = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])


MAX_ABS_LOG_VAR = 30.0


@ops.custom_gradient  # type: ignore[untyped-decorator]
def bounded(z_log_var: KerasTensor) -> Any:
    """The log-variances (batch, latent_dim), those beyond +-30 moved to +-30; its gradient is that of the identity.

    In float32 exp overflows at 88.7, and the loss is infinite from then on. The bound is no restriction that training
    could feel: at -30, sigma is 3e-7, some two units in the last place of a mean of 1 to 2; at 30 it is 3e6, where the
    KL costs 5e12 nats.

    It does not bias the objective. Sampling and KL take the same bounded value, so that the loss is the negative ELBO
    of a q(z|x) whose variances lie within the bound: a bound on the likelihood as valid as any, for any q. Within it,
    loss and gradient are what they are without it. Beyond it the true gradient is zero, and a unit that a large step
    has thrown there would never come back: the identity's gradient, here that of the KL, sends it back.
    """
    return ops.clip(z_log_var, -MAX_ABS_LOG_VAR, MAX_ABS_LOG_VAR), lambda upstream: upstream


class Sampling(layers.Layer):
    """The reparameterization trick: z = z_mean + exp(z_log_var / 2) * epsilon, epsilon ~ N(0, epsilon_std² I).

    Kingma & Welling (2014), section 2.4, has epsilon_std = 1. The post's 1e-4 makes the model a deterministic
    autoencoder with a penalty: its loss is then no bound on the likelihood.
    """

    def __init__(self, epsilon_std: float = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon_std = epsilon_std
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, z_mean: KerasTensor, z_log_var: KerasTensor) -> KerasTensor:
        """Both arguments and the result: (batch, latent_dim)."""
        epsilon = keras.random.normal(
            ops.shape(z_mean), stddev=self.epsilon_std, dtype=z_mean.dtype, seed=self.seed_generator
        )
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon_std": self.epsilon_std, "seed": self.seed}


class UpsampledConv2DTranspose(layers.Conv2DTranspose):
    """`UpSampling2D(2)` followed by `Conv2DTranspose(filters, 3)`, computed exactly, at the low resolution.

    The weights are those of the transposed convolution: a (3, 3, filters, channels) kernel and a bias. In one
    dimension, with u[j] = x[j // 2] the nearest-neighbour upsampling, the transposed convolution's output is
    y[o] = k[0] u[o] + k[1] u[o - 1] + k[2] u[o - 2], hence

        y[2q]     =  k[0]         x[q] + (k[1] + k[2]) x[q - 1]
        y[2q + 1] = (k[0] + k[1]) x[q] +         k[2]  x[q - 1]

    with x zero outside its range. Both read the inputs q and q - 1 alone, so even and odd outputs are two transposed
    convolutions of x with 2 taps each, sums of the 3-tap kernel's (`TAPS`). In two dimensions that is one 2x2
    transposed convolution to 4 * filters channels, then depth to space: 16 multiply-adds for each input pixel, channel
    and filter, instead of 36.

    Input (batch, height, width, channels), output (batch, 2 height + 2, 2 width + 2, filters).

    Args:
        filters: number of output channels.
        activation: of the output, elementwise.
        **kwargs: `name` and `dtype`; strides, padding and the like are as in the pair of layers.
    """

    def __init__(self, filters: int, activation: str | None = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size=3, activation=activation, **kwargs)

    def call(self, x: KerasTensor) -> KerasTensor:
        taps = ops.convert_to_tensor(TAPS, self.compute_dtype)
        # r, u: parity of the output row and column; s, v: taps at low resolution; i, j: taps of the 3x3 kernel.
        kernel = ops.einsum("rsi,uvj,ijfc->svrufc", taps, taps, self.kernel)
        kernel = ops.reshape(kernel, (2, 2, 4 * self.filters, x.shape[-1]))
        y = ops.depth_to_space(ops.conv_transpose(x, kernel, padding="valid"), 2)
        return self.activation(ops.add(y, self.bias))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sizes, _ = input_shape
        return batch, *(2 * size + 2 if size else None for size in sizes), self.filters

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in ("name", "trainable", "dtype", "filters", "activation")}
