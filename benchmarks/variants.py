"""Changes to the training step, each compared with the step as it is, at the batch size of `params.yaml`.

It is also a contender for `turns`. Usage: python -m benchmarks.variants NAME
"""

import sys
from typing import Any
from unittest import mock

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
from keras import KerasTensor, ops

from benchmarks import plain_layers
from benchmarks.keras_worker import answer, training
from benchmarks.prepared import model_size
from benchmarks.turns import Contender, in_turn
from vae.model.architectures import tutorial
from vae.model.short_cuts import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose
from vae.model.vae import VAE
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.training.optimizers import OPTIMIZERS

AS_IT_IS, WITH_ADAM = "as it is", "Adam"
ENVIRONMENT = {
    "without oneDNN's kernels": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "one operation at a time": {"TF_NUM_INTEROP_THREADS": "1"},
}
STEPS_PER_EXECUTION = 8  # as in `train` with the settings of `params.yaml` and all images
COMPILE: dict[str, dict[str, Any]] = {
    "XLA": {"jit_compile": True},
    "one step per execution": {"steps_per_execution": 1},
}


class NineMultiplyAdds(UpsampledConv2DTranspose):
    """The same function with 9 multiply-adds for each input pixel, channel and filter instead of 16, but more sums.

    In one dimension, y[2q] = s[q] + t[q - 1] and y[2q + 1] = s[q] + t[q], with s[q] = k[0] x[q] + k[2] x[q - 1] and
    t[q] = k[1] x[q]: three products for two outputs. In two dimensions this is four convolutions, of 4, 2, 2 and 1
    taps.
    """

    def call(self, x: KerasTensor) -> KerasTensor:
        kernel = ops.transpose(self.kernel, (0, 1, 3, 2))
        outer, inner = kernel[::2][::-1], kernel[1:2]

        def sums(rows: KerasTensor, pad_rows: tuple[int, int]) -> KerasTensor:
            """Return one kind of rows: the even columns, then the odd columns, in the channels."""
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
    """The same function at full resolution: depth to space, then the plain transposed convolution."""

    def call(self, x: KerasTensor) -> KerasTensor:
        y = ops.conv_transpose(ops.depth_to_space(x, 2), self.kernel, padding="valid")
        return self.activation(ops.add(y, self.bias))


class LayerByLayer(AffineMap):
    """The same function with the network applied to each vector of the batch."""

    def call(self, z: KerasTensor) -> KerasTensor:
        return self.network(z)


PATCHES: dict[str, dict[str, Any]] = {
    "the tutorial's encoder": {"build_encoder": plain_layers.build_encoder},
    "padding and convolution": {"UpsampledConv2DTranspose": Padded},
    "9 multiply-adds for 16": {"UpsampledConv2DTranspose": NineMultiplyAdds},
    "deconv_3 at full resolution": {"PackedConv2DTranspose": Unpacked},
    "affine layers image by image": {"AffineMap": LayerByLayer},
}
"""By variant, what replaces a name of the module `vae.model.architectures.tutorial`."""
NAMES = (AS_IT_IS, WITH_ADAM, *ENVIRONMENT, *COMPILE, *PATCHES)


def build(name: str, image_shape: tuple[int, int, int], model: Model, train: Train) -> VAE:
    """Return the compiled model of a variant."""
    with mock.patch.dict(vars(tutorial), PATCHES.get(name, {})):
        variant = VAE(image_shape, model.latent_dim, dropout=model.dropout, precision=train.precision)
    optimizer = OPTIMIZERS["adam" if name == WITH_ADAM else train.optimizer]
    variant.compile(
        optimizer(train.learning_rate), **{"steps_per_execution": STEPS_PER_EXECUTION, **COMPILE.get(name, {})}
    )
    return variant


def measure(rounds: int = 8) -> dict[str, Any]:
    """Time the variants; print and return each one's share of the time of the step as it is, within a round."""
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


def main(name: str) -> None:
    _, model, train = load_settings(Model, Train)
    image_shape, _ = model_size()
    answer(training(build(name, image_shape, model, train), train.batch_size))


if __name__ == "__main__":
    main(sys.argv[1])
