"""The library under the stage scripts beside this folder. What computes with TensorFlow is in `vae.nn`."""
