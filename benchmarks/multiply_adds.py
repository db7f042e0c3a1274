"""The multiply-adds of a model's layers: how much arithmetic an image takes.

Biases, activations, pooling, sums and the loss are left out.
"""

import math

import vae.model  # noqa: F401, sets TensorFlow up before Keras is imported

# isort: split
import keras
from keras import KerasTensor, layers

from vae.model.short_cuts import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose


def of_model(model: keras.Model, batch_size: int) -> float:
    """Return the multiply-adds of a functional model for one image, or one latent vector, forward only.

    Args:
        model: a model of the layers that `of_layer` knows.
        batch_size: an `AffineMap` computes its network once for the whole batch, so each image takes its share.
    """
    return sum(of_layer(layer, batch_size) for layer in model.layers)


def of_layer(layer: layers.Layer, batch_size: int) -> float:
    """Return the multiply-adds of one layer, as `of_model` does.

    Raises:
        TypeError: the layer has weights and is of another kind.
    """
    if isinstance(layer, AffineMap):  # the network at some points for the whole batch, then a product for each image
        points = layer.input.shape[-1] + 1
        return float(points * (of_model(layer.network, batch_size) / batch_size + math.prod(layer.output.shape[1:])))
    if not layer.weights:
        return 0
    if isinstance(layer, layers.Dense):
        uses: float = 1
    elif isinstance(layer, UpsampledConv2DTranspose):  # four 2x2 kernels for the one 3x3 kernel: see its docstring
        uses = 16 / 9 * _pixels(layer.input)
    elif isinstance(layer, PackedConv2DTranspose):  # without its zeros
        uses = 4 * _pixels(layer.input)
    elif type(layer) is layers.Conv2D:
        uses = _pixels(layer.output)
    else:
        raise TypeError(f"the multiply-adds of a layer {type(layer).__name__} are not known")
    kernel: int = math.prod(layer.kernel.shape)
    return kernel * uses


def _pixels(images: KerasTensor) -> int:
    return math.prod(images.shape[1:-1])
