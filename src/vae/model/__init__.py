"""The model and its theory: start with `vae.model.vae`. Importing this package sets TensorFlow up."""

from vae.model import runtime  # noqa: F401, before any other module imports Keras
