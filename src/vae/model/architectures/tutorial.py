"""The tutorial's convolutional encoder and decoder, layer by layer.

The layers compute the same functions of the same weights as the tutorial's plain Keras layers, by exact short cuts.

The tutorial's decoder makes images whose height and width are multiples of four and at least 12. For images of another
size, the encoder pads them with zeros at the bottom and at the right, to the next such size; the decoder crops the same
rows and columns. The loss therefore consists of exactly the image's pixels. All padding is at one side, since the
encoder drops the last two rows and columns anyway: of a padded image, it drops padding first.
"""

import keras
from keras import layers

from vae.model.architectures.padding import padding_to_multiple
from vae.model.sampling import latent_heads
from vae.model.short_cuts import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose

FILTERS = (32, 64)
UNUSED = 2
"""The rows and columns at the end of a padded image that add a row and a column to conv_2, which pool_2 drops."""


def build_encoder(
    image_shape: tuple[int, int, int], latent_dim: int, *, dropout: float, seed: int, precision: str
) -> keras.Model:
    """Return a model from images (batch, *image_shape) to z_mean and z_log_var, (batch, latent_dim) each.

    Both outputs are float32 at any precision.

    Raises:
        InputError: as in `padding`.
    """
    images = h = keras.Input(image_shape, name="images")
    missing = [rows - UNUSED for rows in padding(image_shape)]
    if max(missing) > 0:
        h = layers.ZeroPadding2D([(0, max(0, rows)) for rows in missing], dtype=precision, name="pad")(h)
    if min(missing) < 0:
        h = layers.Cropping2D([(0, max(0, -rows)) for rows in missing], dtype=precision, name="crop")(h)
    # ReLU after the pooling, on a quarter of the values: the maximum of ReLUs is the ReLU of the maximum.
    for number, filters in enumerate(FILTERS, start=1):
        h = layers.Conv2D(filters, 3, dtype=precision, name=f"conv_{number}")(h)
        h = layers.MaxPooling2D(2, dtype=precision, name=f"pool_{number}")(h)
        h = layers.ReLU(dtype=precision, name=f"relu_{number}")(h)
    h = layers.Flatten(dtype=precision, name="flatten")(h)
    heads = latent_heads(h, latent_dim, dropout=dropout, seed=seed, precision=precision)
    return keras.Model(images, list(heads), name="encoder")


def build_decoder(image_shape: tuple[int, int, int], latent_dim: int, *, outputs: int, precision: str) -> keras.Model:
    """Return a model from z (batch, latent_dim) to the parameters of the likelihood.

    These are (batch, height, width, outputs), float32 at any precision. The tutorial's decoder
    ends in a sigmoid. Here the likelihood applies it, since the loss is more exact on logits.

    Raises:
        InputError: as in `padding`.
    """
    height, width = smallest_feature_map(image_shape)
    few, many = FILTERS
    z = keras.Input((latent_dim,), name="z")
    # Up to its first ReLU the decoder is affine in z.
    first_layers = [
        layers.Dense(height * width * many, dtype="float32", name="dense"),
        layers.Reshape((height, width, many), dtype="float32", name="reshape"),
        UpsampledConv2DTranspose(many, dtype="float32", name="upsampled_deconv_1"),
    ]
    h = AffineMap(keras.Sequential(first_layers, name="first_layers"), dtype=precision, name="affine")(z)
    h = layers.ReLU(dtype=precision, name="relu_3")(h)
    h = UpsampledConv2DTranspose(
        few, activation="relu", packed_output=True, dtype=precision, name="upsampled_deconv_2"
    )(h)
    h = PackedConv2DTranspose(outputs, dtype=precision, name="deconv_3")(h)
    if any(padding(image_shape)):
        h = layers.Cropping2D([(0, rows) for rows in padding(image_shape)], dtype=precision, name="crop")(h)
    parameters = layers.Identity(dtype="float32", name="parameters")(h)
    return keras.Model(z, parameters, name="decoder")


def smallest_feature_map(image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Return the height and the width after the encoder's second pooling, from which the decoder starts.

    Two convolutions and two poolings reduce each size of the padded image to (size - 8) / 4. The decoder maps s to
    4 s + 8.

    Raises:
        InputError: as in `padding`.
    """
    height, width = (
        (size + missing - 8) // 4 for size, missing in zip(image_shape[:2], padding(image_shape), strict=True)
    )
    return height, width


def padding(image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Return the rows and columns between an image and the next size that fits: a multiple of four, at least 12.

    Raises:
        InputError: the height or the width is not in `SIZES`.
    """
    return padding_to_multiple(image_shape, 4, smallest=12, architecture="the tutorial's architecture")
