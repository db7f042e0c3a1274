"""The page that computes a trained model in the browser."""
