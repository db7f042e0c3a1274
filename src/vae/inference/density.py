"""Draws of z from a density that is fitted to latent vectors, instead of the model's prior."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vae.data.splits import sample_rows
from vae.errors import InputError
from vae.evaluation.latent_density import MAX_FITTED, fit_mixture, sample_mixture
from vae.inference.latents import read_posterior


def draw_from_latents(path: Path, latent_dim: int, count: int, components: int, seed: int) -> NDArray[np.float32]:
    """Return draws, (count, latent_dim), from a mixture of Gaussians fitted to one z ~ q(z|x) for each image.

    Args:
        path: a `.npz` or `.csv` file with `z_mean` and `z_log_var`.
        latent_dim: the number of latent dimensions.
        count: the number of draws.
        components: the number of Gaussians.
        seed: the seed of the draws and of the fit.

    Raises:
        InputError: the file is missing or has no such latent vectors, or too few for the Gaussians.
    """
    if components < 1:
        raise InputError(f"components is {components}, but must be at least 1.")
    z_mean, z_log_var = read_posterior(path, latent_dim)
    rows = sample_rows(len(z_mean), MAX_FITTED, seed)
    draws = sample_mixture(fit_mixture(z_mean[rows], z_log_var[rows], components, seed, "components"), count)
    return np.random.default_rng(seed).permutation(draws)  # scikit-learn sorts them by their Gaussian
