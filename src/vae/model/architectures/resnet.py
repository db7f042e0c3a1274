"""A small residual network for processors: residual blocks at half the image's resolution and below.

He et al., "Identity Mappings in Deep Residual Networks" (2016), https://arxiv.org/abs/1603.05027: each block adds to
its input what two convolutions, with a ReLU before each, make of it. The decoder mirrors the encoder:

- The encoder packs each 2x2 block of pixels into the channels of one (space to depth), and convolves the packed image.
  This is a 6x6 convolution of the image with stride 2. The decoder ends in the reverse. No layer works at the full
  resolution, where an image has too few channels for a processor's vectors.
- Between two levels the encoder applies a 2x2 convolution with stride 2. The decoder applies a 1x1 convolution to four
  times the channels and depth to space, which is a transposed 2x2 convolution with stride 2.

A 28x28 image has levels of 14x14x48 and 7x7x64. There is one more level each time that the smaller size doubles: at 56,
112 and 224 pixels. At the last level, the smaller size is thus 7 to 14 for images of at least 25 pixels. Images that
the levels cannot halve are padded with zeros at the bottom and at the right, and the decoder crops the same rows and
columns. The loss therefore consists of exactly the image's pixels.

There is no batch normalization. It would make an image's outputs depend on the other images of its batch: noise in
training, and another function of the image in training than in the test, by statistics that lag behind the weights. A
bound on the likelihood of one image needs one function. Instead, the last kernel of each block starts at zero (Zhang
et al., "Fixup Initialization" (2019), https://arxiv.org/abs/1901.09321). Each block then starts as the identity, and
the activations do not grow with the depth.

The activation is ReLU because of its speed: with SiLU, a training step took about one and a half times as long.
"""

import keras
from keras import KerasTensor, layers, ops

from vae.model.architectures.padding import padding_to_multiple
from vae.model.sampling import latent_heads

WIDTHS = (48, 64, 96, 128, 128)
"""The channels of each level, from the highest resolution down. Small images use the first two."""


def build_encoder(
    image_shape: tuple[int, int, int], latent_dim: int, *, dropout: float, seed: int, precision: str
) -> keras.Model:
    """Return a model from images (batch, *image_shape) to z_mean and z_log_var, (batch, latent_dim) each.

    Both outputs are float32 at any precision.

    Raises:
        InputError: as in `padding`.
    """
    images = h = keras.Input(image_shape, name="images")
    if any(padding(image_shape)):
        h = layers.ZeroPadding2D([(0, rows) for rows in padding(image_shape)], dtype=precision, name="pad")(h)
    h = ops.space_to_depth(h, 2)
    for level, width in enumerate(widths(image_shape), start=1):
        if level == 1:
            h = layers.Conv2D(width, 3, padding="same", dtype=precision, name="conv_1")(h)
        else:
            h = layers.Conv2D(width, 2, strides=2, dtype=precision, name=f"conv_{level}")(h)
        h = _residual_block(h, f"level_{level}", precision)
    h = layers.ReLU(dtype=precision, name="last_relu")(h)
    h = layers.Flatten(dtype=precision, name="flatten")(h)
    heads = latent_heads(h, latent_dim, dropout=dropout, seed=seed, precision=precision)
    return keras.Model(images, list(heads), name="encoder")


def build_decoder(image_shape: tuple[int, int, int], latent_dim: int, *, outputs: int, precision: str) -> keras.Model:
    """Return a model from z (batch, latent_dim) to the parameters of the likelihood.

    These are (batch, height, width, outputs), float32 at any precision.

    Raises:
        InputError: as in `padding`.
    """
    channels = widths(image_shape)
    height, width = (
        (size + missing) // 2 ** len(channels)
        for size, missing in zip(image_shape[:2], padding(image_shape), strict=True)
    )
    z = keras.Input((latent_dim,), name="z")
    h = layers.Dense(height * width * channels[-1], dtype=precision, name="dense")(z)
    h = layers.Reshape((height, width, channels[-1]), dtype=precision, name="reshape")(h)
    for level in range(len(channels), 0, -1):
        h = _residual_block(h, f"level_{level}", precision)
        if level > 1:
            h = layers.Conv2D(4 * channels[level - 2], 1, dtype=precision, name=f"conv_{level}")(h)
            h = ops.depth_to_space(h, 2)
    h = layers.ReLU(dtype=precision, name="last_relu")(h)
    h = layers.Conv2D(4 * outputs, 3, padding="same", dtype=precision, name="conv_1")(h)
    h = ops.depth_to_space(h, 2)
    if any(padding(image_shape)):
        h = layers.Cropping2D([(0, rows) for rows in padding(image_shape)], dtype=precision, name="crop")(h)
    parameters = layers.Identity(dtype="float32", name="parameters")(h)
    return keras.Model(z, parameters, name="decoder")


def _residual_block(h: KerasTensor, name: str, precision: str) -> KerasTensor:
    """Return h + f(h), of the same shape (batch, height, width, channels)."""
    y = h
    for number, kernel in enumerate(("he_normal", "zeros"), start=1):
        y = layers.ReLU(dtype=precision, name=f"{name}_relu_{number}")(y)
        y = layers.Conv2D(
            h.shape[-1], 3, padding="same", kernel_initializer=kernel, dtype=precision, name=f"{name}_conv_{number}"
        )(y)
    return layers.Add(dtype=precision, name=f"{name}_sum")([h, y])


def widths(image_shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the channels of each level for images of that shape: from two levels, below 56 pixels, to five at 224."""
    smallest = min(image_shape[:2])
    return WIDTHS[: max(2, (smallest // 7).bit_length() - 1)]


def padding(image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Return the rows and columns between an image and the next size that all levels halve.

    Raises:
        InputError: the height or the width is less than 8 or more than 256.
    """
    return padding_to_multiple(image_shape, 2 ** len(widths(image_shape)), architecture="the residual network")
