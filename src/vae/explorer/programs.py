"""A model's functions as programs for the browser's engine: steps over arrays, and the constants that they use."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae.explorer.graphs import Memory, program
from vae.explorer.steps import Array
from vae.model.conditional import with_labels
from vae.model.short_cuts import AffineMap
from vae.model.vae import VAE

MAX_MATRIX = 2**20
"""The most numbers of an `AffineMap`'s matrix. The network that makes a larger one takes its place: it has far fewer
weights, and is slower for one vector."""
LISTED = 64
"""Constants of at most so many numbers are in the description, in full precision."""
PRECISIONS: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}


@dataclass(frozen=True)
class Programs:
    """The programs of one model. `trace` makes them."""

    programs: dict[str, dict[str, Any]]
    memory: Memory

    def description(self) -> dict[str, Any]:
        """Return what the engine needs besides the constants, as numbers, strings, lists and dictionaries.

        `arrays` has one entry for each array: its size; for a constant also the `values`, or whether it is a `kernel`.
        Constants without values are in `constants()`, in this order.
        """
        arrays: list[dict[str, Any]] = [{"size": size} for size in self.memory.sizes]
        for number, value in self.memory.constants.items():
            if _is_listed(value):
                arrays[number]["values"] = value.tolist()
            else:
                arrays[number]["kernel"] = number in self.memory.kernels
        return {"arrays": arrays, "programs": self.programs}

    def constants(self, precision: str = "float32") -> bytes:
        """Return the constants that the description does not contain, one after the other, little endian.

        Args:
            precision: `float32`, or `float16` for kernels in half the size. The others are float32 with either.

        Raises:
            KeyError: the precision is another.
        """
        of_kernels, of_others = PRECISIONS[precision], PRECISIONS["float32"]
        return b"".join(
            value.astype(of_kernels if number in self.memory.kernels else of_others).tobytes()
            for number, value in sorted(self.memory.constants.items())
            if not _is_listed(value)
        )


def _is_listed(value: Array) -> bool:
    """Return whether a constant is in the description. JSON has finite numbers only."""
    return value.size <= LISTED and bool(np.all(np.isfinite(value)))


def trace(model: VAE) -> Programs:
    """Return the programs of a model, each for one image.

    Images are (height, width, channels), latent vectors (latent_dim,), and `label` of a conditional model is an index.

    - `encode`: images [, label] to z_mean and z_log_var.
    - `decode`: z [, label] to pixels, the means of p(x|z), in [0, 1].
    - `reconstruction`: images, z [, label] to nats, -log p(x|z), and the same pixels.
    - `kl`: z_mean, z_log_var, z to nats, the KL from the prior. It is estimated at z if the prior has no closed form.

    Raises:
        InputError: the model has an operation that the engine does not know.
    """
    model = model.in_float32()
    decoder = _with_small_constants(model.decoder)
    label = [tf.TensorSpec((1,), tf.int32, name="label")] if model.conditional else []
    images = tf.TensorSpec((1, *model.image_shape), name="images")
    z, z_mean, z_log_var = (tf.TensorSpec((1, model.latent_dim), name=name) for name in ("z", "z_mean", "z_log_var"))

    def encode(images: Any, label: Any = None) -> Any:
        return dict(zip(("z_mean", "z_log_var"), model.encoder(with_labels(images, label)), strict=True))

    def decode(z: Any, label: Any = None) -> Any:
        return {"pixels": model.likelihood.mean(decoder(with_labels(z, label)))}

    def reconstruction(images: Any, z: Any, label: Any = None) -> Any:
        parameters = decoder(with_labels(z, label))
        return {"nats": model.likelihood.nll(images, parameters), "pixels": model.likelihood.mean(parameters)}

    def kl(z_mean: Any, z_log_var: Any, z: Any) -> Any:
        return {"nats": model.prior.kl(z_mean, z_log_var, z)}

    memory = Memory()
    return Programs(
        {
            "encode": program(encode, [images, *label], memory),
            "decode": program(decode, [z, *label], memory),
            "reconstruction": program(reconstruction, [images, z, *label], memory),
            "kl": program(kl, [z_mean, z_log_var, z], memory),
        },
        memory,
    )


def _with_small_constants(decoder: keras.Model) -> keras.Model:
    """Return the decoder, in which networks take the place of matrices of more than `MAX_MATRIX` numbers."""

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        if isinstance(layer, keras.Model):
            layer = _with_small_constants(layer)
        if isinstance(layer, AffineMap):
            shapes = layer.input.shape[1:], layer.output.shape[1:]
            if (math.prod(shapes[0]) + 1) * math.prod(shapes[1]) > MAX_MATRIX:
                return layer.network(*inputs, **options)
        return layer(*inputs, **options)

    return keras.models.clone_model(decoder, clone_function=lambda layer: layer, call_function=call)
