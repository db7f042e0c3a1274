"""Exact short cuts through a decoder's layers: the same function of the same weights, in less time."""

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


class _LowResolutionConv2DTranspose(layers.Conv2DTranspose):
    """A 3x3 transposed convolution to an image of twice the resolution at which it is computed.

    The subclasses differ in `_low_resolution_kernel`, (2, 2, 4 * filters, channels of the input): the kernel of a
    transposed convolution to the packed output. It has four filters for each of the layer's, one for each pixel of a
    2x2 block, row by row.
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
        """Return the sums (n, filters, channels) of the kernel's nine taps that each row of `taps`, (n, 9), selects."""
        sums = ops.matmul(ops.convert_to_tensor(taps, self.compute_dtype), ops.reshape(self.kernel, (9, -1)))
        return ops.reshape(sums, (-1, *self.kernel.shape[2:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sizes, _ = input_shape
        scale, channels = (1, 4 * self.filters) if self.packed_output else (2, self.filters)
        return batch, *(scale * (size + 1) if size else None for size in sizes), channels

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in ("name", "trainable", "dtype", "filters", "activation")}


@keras.saving.register_keras_serializable("vae")
class UpsampledConv2DTranspose(_LowResolutionConv2DTranspose):
    """`UpSampling2D(2)` followed by `Conv2DTranspose(filters, 3)`, computed exactly, at the low resolution.

    The weights are the transposed convolution's: a (3, 3, filters, channels) kernel and a bias. In one dimension, let
    u[j] = x[j // 2] be the nearest-neighbour upsampling. The transposed convolution's output is then
    y[o] = k[0] u[o] + k[1] u[o - 1] + k[2] u[o - 2], so that

        y[2q]     =  k[0]         x[q] + (k[1] + k[2]) x[q - 1]
        y[2q + 1] = (k[0] + k[1]) x[q] +         k[2]  x[q - 1]

    where x is zero outside its range. Both read only the inputs q and q - 1. Even and odd outputs are therefore two
    transposed convolutions of x with 2 taps each, which are sums of the kernel's 3 taps (`UPSAMPLED_TAPS`). In two
    dimensions, this is one 2x2 transposed convolution to 4 * filters channels, followed by depth to space. It takes 16
    multiply-adds for each input pixel, channel and filter, instead of 36.

    Input (batch, height, width, channels), output (batch, 2 height + 2, 2 width + 2, filters).

    Args:
        filters: number of output channels.
        activation: an elementwise function of the output.
        packed_output: whether to leave out depth to space. The output is then (batch, height + 1, width + 1,
            4 * filters), the input of a `PackedConv2DTranspose`.
        **kwargs: `name` and `dtype`. Strides, padding and other options are fixed, as in the pair of layers.
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


@keras.saving.register_keras_serializable("vae")
class PackedConv2DTranspose(_LowResolutionConv2DTranspose):
    """`Conv2DTranspose(filters, 3)` of a packed image, computed exactly, at half the image's resolution.

    Space to depth packs an image: the channels of one packed pixel contain one 2x2 block of pixels. In one dimension,
    the packed pixel q contains x[2q] and x[2q + 1], and y[o] = k[0] x[o] + k[1] x[o - 1] + k[2] x[o - 2] is

        y[2q]     = k[0] x[2q]     + k[1] x[2(q - 1) + 1] + k[2] x[2(q - 1)]
        y[2q + 1] = k[0] x[2q + 1] + k[1] x[2q]           + k[2] x[2(q - 1) + 1]

    Both read only the packed pixels q and q - 1. In two dimensions, this is one 2x2 transposed convolution from
    4 * channels to 4 * filters channels, followed by depth to space (`PACKED_TAPS`). 36 of its 64 taps are the 3x3
    kernel's, four times each; the others are zero. It takes more multiply-adds than at the full resolution, but less
    time if the filters are few, since a processor's vectors are wider than one channel. Also, the image need not be
    unpacked first.

    Input (batch, height, width, 4 * channels), output (batch, 2 height + 2, 2 width + 2, filters).

    Args:
        filters: number of output channels.
        activation: an elementwise function of the output.
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


@keras.saving.register_keras_serializable("vae")
class AffineMap(layers.Layer):
    """An affine network's function of its input vectors, computed as one matrix product.

    The values of an affine map f at the origin and at the unit vectors e_k determine it:

        f(z) = f(0) + sum_k z_k (f(e_k) - f(0))

    The network is therefore applied to latent_dim + 1 points, however many vectors the batch contains. The result is
    the same function of the weights too, so their gradients are the same. This saves time if the batch is larger than
    latent_dim.

    Input (batch, latent_dim); the output has the shape of the network's output.

    Args:
        network: a model that is affine in its input (batch, latent_dim): layers without an activation. It computes
            in the precision of its own layers.
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

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "network": keras.saving.serialize_keras_object(self.network)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AffineMap":
        return cls(**config | {"network": keras.saving.deserialize_keras_object(config["network"])})
