"""Import `vae.model` first, so that it sets TensorFlow up before a test module imports Keras."""

import vae.model  # noqa: F401
