"""Measurements of a trained model: bounds on the likelihood, the latent dimensions, and generated images."""
