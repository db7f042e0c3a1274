"""The command `vae`: what a trained model does with images and latent vectors, and its exports and page."""
