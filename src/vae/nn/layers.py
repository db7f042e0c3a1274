"""What Keras does not have: bounded log-variances, the sampler, and exact short cuts through a decoder's layers."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

# UPSAMPLED_TAPS[r, s, i] = 1 where output 2q + r of the upsampled convolution applies its tap i to input q - s.
UPSAMPLED_TAPS = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], float)
# PACKED_TAPS[r, s, p, i] = 1 where output 2q + r of the packed convolution applies its tap i to input 2(q - s) + p.
PACKED_TAPS = np.array(
    [[[[1, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 1, 0]]], [[[0, 1, 0], [1, 0, 0]], [[0, 0, 0], [0, 0, 1]]]], float
)

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


class _LowResolutionConv2DTranspose(layers.Conv2DTranspose):
    """A 3x3 transposed convolution to an image of twice the resolution at which it is computed.

    What the subclasses differ in is `_low_resolution_kernel`, (2, 2, 4 * filters, channels of the input): that of a
    transposed convolution to the packed output, four filters for one, row by row of its 2x2 blocks.
    """

    packed_output = False

    def __init__(self, filters: int, activation: str | None = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size=3, activation=activation, **kwargs)

    def call(self, x: KerasTensor) -> KerasTensor:
        y = ops.conv_transpose(x, self._low_resolution_kernel(), padding="valid")
        y = self.activation(ops.add(y, ops.tile(self.bias, 4)))
        return y if self.packed_output else ops.depth_to_space(y, 2)

    def _low_resolution_kernel(self) -> KerasTensor:
        raise NotImplementedError

    def _sums_of_taps(self, taps: NDArray[np.float64]) -> KerasTensor:
        """The sums (n, filters, channels) of the kernel's nine taps that the rows of (n, 9) ask for."""
        sums = ops.matmul(ops.convert_to_tensor(taps, self.compute_dtype), ops.reshape(self.kernel, (9, -1)))
        return ops.reshape(sums, (-1, *self.kernel.shape[2:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sizes, _ = input_shape
        scale, channels = (1, 4 * self.filters) if self.packed_output else (2, self.filters)
        return batch, *(scale * (size + 1) if size else None for size in sizes), channels

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in ("name", "trainable", "dtype", "filters", "activation")}


class UpsampledConv2DTranspose(_LowResolutionConv2DTranspose):
    """`UpSampling2D(2)` followed by `Conv2DTranspose(filters, 3)`, computed exactly, at the low resolution.

    The weights are those of the transposed convolution: a (3, 3, filters, channels) kernel and a bias. In one
    dimension, with u[j] = x[j // 2] the nearest-neighbour upsampling, the transposed convolution's output is
    y[o] = k[0] u[o] + k[1] u[o - 1] + k[2] u[o - 2], hence

        y[2q]     =  k[0]         x[q] + (k[1] + k[2]) x[q - 1]
        y[2q + 1] = (k[0] + k[1]) x[q] +         k[2]  x[q - 1]

    with x zero outside its range. Both read the inputs q and q - 1 alone, so even and odd outputs are two transposed
    convolutions of x with 2 taps each, sums of the 3-tap kernel's (`UPSAMPLED_TAPS`). In two dimensions that is one 2x2
    transposed convolution to 4 * filters channels, then depth to space: 16 multiply-adds for each input pixel, channel
    and filter, instead of 36.

    Input (batch, height, width, channels), output (batch, 2 height + 2, 2 width + 2, filters).

    Args:
        filters: number of output channels.
        activation: of the output, elementwise.
        packed_output: whether to leave out depth to space. The output is then (batch, height + 1, width + 1,
            4 * filters), the input of a `PackedConv2DTranspose`.
        **kwargs: `name` and `dtype`; strides, padding and the like are as in the pair of layers.
    """

    def __init__(self, filters: int, activation: str | None = None, packed_output: bool = False, **kwargs: Any) -> None:
        super().__init__(filters, activation, **kwargs)
        self.packed_output = packed_output

    def _low_resolution_kernel(self) -> KerasTensor:
        # r, u: parity of the output row and column; s, v: taps at low resolution; i, j: taps of the 3x3 kernel.
        taps = np.einsum("rsi,uvj->svruij", UPSAMPLED_TAPS, UPSAMPLED_TAPS).reshape(16, 9)
        return ops.reshape(self._sums_of_taps(taps), (2, 2, 4 * self.filters, -1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "packed_output": self.packed_output}


class PackedConv2DTranspose(_LowResolutionConv2DTranspose):
    """`Conv2DTranspose(filters, 3)` of a packed image, computed exactly, at half the image's resolution.

    An image is packed as space to depth leaves it, each of its 2x2 blocks in the channels of one pixel. In one
    dimension the packed pixel q has x[2q] and x[2q + 1], and y[o] = k[0] x[o] + k[1] x[o - 1] + k[2] x[o - 2] is

        y[2q]     = k[0] x[2q]     + k[1] x[2(q - 1) + 1] + k[2] x[2(q - 1)]
        y[2q + 1] = k[0] x[2q + 1] + k[1] x[2q]           + k[2] x[2(q - 1) + 1]

    Both read the packed pixels q and q - 1 alone: in two dimensions, one 2x2 transposed convolution from 4 * channels
    to 4 * filters channels, then depth to space (`PACKED_TAPS`). Of its 64 taps 36 are those of the 3x3 kernel, four
    times each, and the others zero: more multiply-adds than at the full resolution, yet less time where the filters
    are few, since a processor's vectors are wider than one channel; and the image need not be unpacked before.

    Input (batch, height, width, 4 * channels), output (batch, 2 height + 2, 2 width + 2, filters).

    Args:
        filters: number of output channels.
        activation: of the output, elementwise.
        **kwargs: `name` and `dtype`.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1]
        assert channels
        super().build((*input_shape[:-1], channels // 4))
        self.input_spec = layers.InputSpec(ndim=4, axes={-1: channels})

    def _low_resolution_kernel(self) -> KerasTensor:
        # p, q: parity of the input row and column; the others as in `UpsampledConv2DTranspose`.
        taps = np.einsum("rspi,uvqj->svrupqij", PACKED_TAPS, PACKED_TAPS).reshape(64, 9)
        kernel = ops.reshape(self._sums_of_taps(taps), (2, 2, 4, 4, self.filters, -1))
        return ops.reshape(ops.transpose(kernel, (0, 1, 2, 4, 3, 5)), (2, 2, 4 * self.filters, -1))


class AffineMap(layers.Layer):
    """What an affine network computes of vectors, as one matrix product.

    An affine map f is known by its values at the origin and at the unit vectors e_k:

        f(z) = f(0) + sum_k z_k (f(e_k) - f(0))

    So the network is applied to latent_dim + 1 points, however many vectors there are in the batch. Being the same
    function of the weights too, it gives them the same gradients. It pays where the batch is larger than latent_dim.

    Input (batch, latent_dim), output that of the network.

    Args:
        network: a model of vectors (batch, latent_dim), affine in them: layers without an activation. Computes in
            the precision of its own layers.
        **kwargs: `name`, and the `dtype` of the product.
    """

    def __init__(self, network: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network = network

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.network.build(input_shape)

    def call(self, z: KerasTensor) -> KerasTensor:
        latent_dim = z.shape[-1]
        points = np.concatenate([np.eye(latent_dim), np.zeros((1, latent_dim))])
        values = ops.reshape(self.network(points), (latent_dim + 1, -1))
        matrix = ops.concatenate([values[:-1] - values[-1], values[-1:]])
        y = ops.matmul(ops.pad(z, ((0, 0), (0, 1)), constant_values=1), ops.cast(matrix, self.compute_dtype))
        return ops.reshape(y, (-1, *self.compute_output_shape(z.shape)[1:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(self.network.compute_output_shape(input_shape))
