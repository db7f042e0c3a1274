"""Changes to the training step that might have helped, each against the step as it is, at the batch size of `train`.

A contender for `turns` when it is run: python -m benchmarks.variants NAME
"""

import sys
from typing import Any
from unittest import mock

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
from keras import KerasTensor, ops

from benchmarks.keras_worker import answer, encoder_of_the_post, training
from benchmarks.turns import Contender, in_turn
from vae.nn import model as library
from vae.nn.layers import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose
from vae.nn.optimizer import OPTIMIZERS
from vae.settings import Train, load_settings

AS_IT_IS, WITH_ADAM = "as it is", "Adam"
ENVIRONMENT = {
    "without oneDNN's kernels": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "one operation at a time": {"TF_NUM_INTEROP_THREADS": "1"},
}
STEPS_PER_EXECUTION = 8  # as `train` has it with the settings of `params.yaml` and all images
COMPILE: dict[str, dict[str, Any]] = {
    "XLA": {"jit_compile": True},
    "one step per execution": {"steps_per_execution": 1},
}


class NineMultiplyAdds(UpsampledConv2DTranspose):
    """The same function with 9 multiply-adds for each input pixel, channel and filter, instead of 16, and more sums.

    In one dimension, y[2q] = s[q] + t[q - 1] and y[2q + 1] = s[q] + t[q], with s[q] = k[0] x[q] + k[2] x[q - 1] and
    t[q] = k[1] x[q]: three products for two outputs. In two dimensions that makes four convolutions, of 4, 2, 2, and 1
    taps.
    """

    def call(self, x: KerasTensor) -> KerasTensor:
        kernel = ops.transpose(self.kernel, (0, 1, 3, 2))
        outer, inner = kernel[::2][::-1], kernel[1:2]

        def sums(rows: KerasTensor, pad_rows: tuple[int, int]) -> KerasTensor:
            """Of one kind of rows: the even and the odd columns, one after the other in the channels."""
            s = ops.conv(_pad(x, pad_rows, (1, 1)), rows[:, ::2][:, ::-1], padding="valid")
            t = ops.conv(_pad(x, pad_rows, (0, 0)), rows[:, 1:2], padding="valid")
            return ops.concatenate([s + _pad(t, (0, 0), (1, 0)), s + _pad(t, (0, 0), (0, 1))], axis=-1)

        s, t = sums(outer, (1, 1)), sums(inner, (0, 0))
        y = ops.concatenate([s + _pad(t, (1, 0), (0, 0)), s + _pad(t, (0, 1), (0, 0))], axis=-1)
        y = self.activation(y + ops.tile(self.bias, 4))
        return y if self.packed_output else ops.depth_to_space(y, 2)


def _pad(x: KerasTensor, rows: tuple[int, int], columns: tuple[int, int]) -> KerasTensor:
    return ops.pad(x, ((0, 0), rows, columns, (0, 0)))


class Padded(UpsampledConv2DTranspose):
    """The same function as a convolution of the padded input, which TensorFlow fuses with bias and activation."""

    def call(self, x: KerasTensor) -> KerasTensor:
        kernel = ops.transpose(self._low_resolution_kernel()[::-1, ::-1], (0, 1, 3, 2))
        y = ops.conv(_pad(x, (1, 1), (1, 1)), kernel, padding="valid")
        y = self.activation(ops.add(y, ops.tile(self.bias, 4)))
        return y if self.packed_output else ops.depth_to_space(y, 2)


class Unpacked(PackedConv2DTranspose):
    """The same function at the full resolution: depth to space, then the plain transposed convolution."""

    def call(self, x: KerasTensor) -> KerasTensor:
        y = ops.conv_transpose(ops.depth_to_space(x, 2), self.kernel, padding="valid")
        return self.activation(ops.add(y, self.bias))


class LayerByLayer(AffineMap):
    """The same function with the network applied to each vector of the batch."""

    def call(self, z: KerasTensor) -> KerasTensor:
        return self.network(z)


PATCHES: dict[str, dict[str, Any]] = {
    "the post's encoder": {"build_encoder": encoder_of_the_post},
    "padding and convolution": {"UpsampledConv2DTranspose": Padded},
    "9 multiply-adds for 16": {"UpsampledConv2DTranspose": NineMultiplyAdds},
    "deconv_3 at full resolution": {"PackedConv2DTranspose": Unpacked},
    "affine layers image by image": {"AffineMap": LayerByLayer},
}
NAMES = (AS_IT_IS, WITH_ADAM, *ENVIRONMENT, *COMPILE, *PATCHES)


def build(name: str, settings: Train) -> library.VAE:
    """The compiled model of a variant."""
    with mock.patch.dict(vars(library), PATCHES.get(name, {})):
        model = library.VAE(settings.latent_dim, settings.dropout, precision=settings.precision)
    optimizer = OPTIMIZERS["adam" if name == WITH_ADAM else settings.optimizer]
    model.compile(
        optimizer(settings.learning_rate), **{"steps_per_execution": STEPS_PER_EXECUTION, **COMPILE.get(name, {})}
    )
    return model


def measure(rounds: int = 8) -> dict[str, Any]:
    """Runs the variants, prints and returns each one's share of the time of the step as it is, within a round."""
    command = [sys.executable, "-m", "benchmarks.variants"]
    contenders = [
        Contender(name, ["env", *(f"{k}={v}" for k, v in ENVIRONMENT.get(name, {}).items()), *command, name])
        for name in NAMES
    ]
    seconds = in_turn(contenders, rounds)
    share = seconds.div(seconds[AS_IT_IS], axis=0)
    table = share.quantile([0.5, 0.25, 0.75]).T.set_axis(["median", "lower quartile", "upper quartile"], axis=1)
    table.insert(0, "milliseconds", 1e3 * seconds.median())
    print(f"the training step, as a share of the step as it is, {rounds} rounds")
    print(table.to_string(float_format="{:.2f}".format), flush=True)
    return {"rounds": rounds, "share": table.to_dict("index")}


if __name__ == "__main__":
    settings, _ = load_settings(Train)
    answer(training(build(sys.argv[1], settings), settings.batch_size))
