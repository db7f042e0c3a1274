"""The library under the five stage scripts beside this folder. What computes with TensorFlow is in `vae.nn`."""
