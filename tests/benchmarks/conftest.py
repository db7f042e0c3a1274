"""Sets TensorFlow up before any test module imports Keras, as `vae.nn` does for the stages."""

import vae.nn  # noqa: F401
