"""The two functions that are exported: the encoder, and the decoder with the mean of the likelihood."""

from collections.abc import Callable
from typing import Any, NamedTuple

import vae.model  # noqa: F401, before TensorFlow: sets it up

# isort: split
import tensorflow as tf
from numpy.typing import NDArray

from vae.model.conditional import with_labels
from vae.model.vae import VAE

Arrays = dict[str, NDArray[Any]]
Run = Callable[[Arrays], Arrays]
"""A function from the arrays of a batch to the results, both by name."""


class Tensor(NamedTuple):
    """An input or an output."""

    name: str
    shape: tuple[int, ...]
    """The shape of one row; the size of a batch comes before it and is free."""
    dtype: str = "float32"


class Endpoint(NamedTuple):
    """A function of a model to export."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    function: Any
    """A `tf.function` of the inputs, in that order, that returns the outputs by name."""

    def signature(self) -> list[Any]:
        """Return the `tf.TensorSpec` of each input."""
        return [tf.TensorSpec((None, *shape), dtype, name) for name, shape, dtype in self.inputs]


def endpoints(model: VAE) -> tuple[Endpoint, Endpoint]:
    """Return the encoder and the decoder of a model, in float32.

    The encoder returns `z_mean` and `z_log_var` of q(z|x), (batch, latent_dim) each, for `images` (batch, height,
    width, channels) in [0, 1]. The decoder returns `images`, the mean of p(x|z) in [0, 1], for `z` (batch, latent_dim).
    Both also take the `labels` (batch,), int32, if the model is conditional.
    """
    model = model.in_float32()
    images, z = Tensor("images", model.image_shape), Tensor("z", (model.latent_dim,))
    labels = (Tensor("labels", (), "int32"),) if model.conditional else ()

    def encode(images: Any, labels: Any = None) -> dict[str, Any]:
        z_mean, z_log_var = model.encoder(with_labels(images, labels), training=False)
        return {"z_mean": z_mean, "z_log_var": z_log_var}

    def decode(z: Any, labels: Any = None) -> dict[str, Any]:
        return {"images": model.likelihood.mean(model.decoder(with_labels(z, labels), training=False))}

    moments = Tensor("z_mean", z.shape), Tensor("z_log_var", z.shape)
    return (
        _endpoint("encoder", (images, *labels), moments, encode),
        _endpoint("decoder", (z, *labels), (images,), decode),
    )


def _endpoint(name: str, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], function: Any) -> Endpoint:
    endpoint = Endpoint(name, inputs, outputs, function)
    return endpoint._replace(function=tf.function(function, input_signature=endpoint.signature()))
