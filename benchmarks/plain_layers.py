"""The tutorial's architecture in plain Keras layers: the same function of the same weights, without the short cuts."""

import vae.model  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import keras

from vae.model.architectures.tutorial import FILTERS, padding, smallest_feature_map


def build_encoder(
    image_shape: tuple[int, int, int], latent_dim: int, *, dropout: float, seed: int, precision: str
) -> keras.Model:
    """Return the encoder, which convolves the whole image and applies each ReLU before the pooling."""
    images = h = keras.Input(image_shape)
    if any(padding(image_shape)):
        h = keras.layers.ZeroPadding2D([(0, rows) for rows in padding(image_shape)], dtype=precision)(h)
    for filters in FILTERS:
        h = keras.layers.Conv2D(filters, 3, activation="relu", dtype=precision)(h)
        h = keras.layers.MaxPooling2D(2, dtype=precision)(h)
    h = keras.layers.Flatten(dtype=precision)(h)
    h = keras.layers.Dropout(dropout, seed=seed, dtype=precision)(h)
    heads = [keras.layers.Dense(latent_dim, dtype="float32", name=name)(h) for name in ("z_mean", "z_log_var")]
    return keras.Model(images, heads, name="encoder")


def build_decoder(image_shape: tuple[int, int, int], latent_dim: int, *, outputs: int, precision: str) -> keras.Model:
    """Return the decoder. It ends in logits, so that one loss serves both models."""
    few, many = FILTERS
    height, width = smallest_feature_map(image_shape)
    z = keras.Input((latent_dim,))
    h = keras.layers.Dense(height * width * many, dtype=precision)(z)
    h = keras.layers.Reshape((height, width, many), dtype=precision)(h)
    for filters in (many, few):
        h = keras.layers.UpSampling2D(2, dtype=precision)(h)
        h = keras.layers.Conv2DTranspose(filters, 3, activation="relu", dtype=precision)(h)
    h = keras.layers.Conv2DTranspose(outputs, 3, dtype=precision)(h)
    if any(padding(image_shape)):
        h = keras.layers.Cropping2D([(0, rows) for rows in padding(image_shape)], dtype=precision)(h)
    return keras.Model(z, keras.layers.Identity(dtype="float32")(h), name="decoder")
