"""What a trained model does with images and latent vectors of the user: in files or arrays, a batch at a time."""
