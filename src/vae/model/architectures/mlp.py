"""The fully connected baseline of the papers: two hidden layers of 200 tanh units on each side.

This is the network with one stochastic layer of Burda, Grosse & Salakhutdinov, "Importance Weighted Autoencoders"
(2016), appendix A, https://arxiv.org/abs/1509.00519, which others compare with. With `model.latent_dim` 50, it has the
layers, the activations and the initial kernels (Glorot & Bengio, 2010) of their code. Two things differ:

- They start the output's bias at the logit of the training images' mean. Here it starts at zero: an architecture knows
  the images' shape, not the images.
- Their second head yields log sigma, and this one z_log_var = 2 log sigma. The models are the same, but the initial
  variances are closer to one.
"""

import math

import keras
from keras import layers

from vae.model.sampling import latent_heads

UNITS = (200, 200)
"""The widths of the hidden layers, in the encoder and in the decoder."""


def build_encoder(
    image_shape: tuple[int, int, int], latent_dim: int, *, dropout: float, seed: int, precision: str
) -> keras.Model:
    """Return a model from images (batch, *image_shape) to z_mean and z_log_var, (batch, latent_dim) each.

    Both outputs are float32 at any precision.
    """
    images = keras.Input(image_shape, name="images")
    h = layers.Flatten(dtype=precision, name="flatten")(images)
    for number, units in enumerate(UNITS, start=1):
        h = layers.Dense(units, activation="tanh", dtype=precision, name=f"dense_{number}")(h)
    heads = latent_heads(h, latent_dim, dropout=dropout, seed=seed, precision=precision)
    return keras.Model(images, list(heads), name="encoder")


def build_decoder(image_shape: tuple[int, int, int], latent_dim: int, *, outputs: int, precision: str) -> keras.Model:
    """Return a model from z (batch, latent_dim) to the parameters of the likelihood.

    These are (batch, height, width, outputs), float32 at any precision.
    """
    shape = (*image_shape[:2], outputs)
    h = z = keras.Input((latent_dim,), name="z")
    for number, units in enumerate(UNITS, start=1):
        h = layers.Dense(units, activation="tanh", dtype=precision, name=f"dense_{number}")(h)
    h = layers.Dense(math.prod(shape), dtype=precision, name="pixels")(h)
    h = layers.Reshape(shape, dtype=precision, name="reshape")(h)
    parameters = layers.Identity(dtype="float32", name="parameters")(h)
    return keras.Model(z, parameters, name="decoder")
