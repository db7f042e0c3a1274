"""Import `vae.model` first, so that it sets TensorFlow up before a test module imports TensorFlow or Keras."""

import vae.model  # noqa: F401
