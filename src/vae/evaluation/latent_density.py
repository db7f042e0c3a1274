"""A mixture of Gaussians to sample from instead of the prior, fitted to the latent vectors of a trained VAE."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from vae.data.splits import sample_rows
from vae.errors import InputError
from vae.evaluation.posterior import draw_posterior

MAX_ITERATIONS = 1000  # of EM, which may not converge within scikit-learn's default of 100

MAX_FITTED = 100_000
"""The most images that a mixture is fitted to: EM passes over them up to `MAX_ITERATIONS` times."""


def fit_to_part(
    z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], components: int, seed: int
) -> GaussianMixture:
    """Fit a mixture as `fit_mixture` does, to `MAX_FITTED` images at random if there are more, and print that.

    There are no more components than images, which a line then says, too.
    """
    rows, total = sample_rows(len(z_mean), MAX_FITTED, seed), len(z_mean)
    count = min(total, MAX_FITTED)
    if components > count:
        print(f"score.mixture_components is {components}, but {count} training images have room for only {count}.")
    components = min(components, count)
    fitted = f"{count:,}" if count == total else f"{count:,} of {total:,}"
    print(f"fitting {components} Gaussians to one z ~ q(z|x) for each of {fitted} training images", flush=True)
    return fit_mixture(z_mean[rows], z_log_var[rows], components, seed)


def fit_mixture(
    z_mean: NDArray[np.float32],
    z_log_var: NDArray[np.float32],
    components: int,
    seed: int,
    setting: str = "score.mixture_components",
) -> GaussianMixture:
    """Fit a mixture of Gaussians with full covariances, by EM, to one draw of z ~ q(z|x) for each image.

    Ghosh et al., "From Variational to Deterministic Autoencoders" (2020), https://arxiv.org/abs/1903.12436, sample from
    such a density, fitted after training. They fit it to the means z_mean. This function fits it to draws, for two
    reasons. The decoder was trained on draws: the means lack the spread of the posteriors, and a dimension that carries
    nothing of the image, whose means are all zero, would collapse to a point. And with encoder and decoder fixed, the
    prior with the highest ELBO is the one with the highest mean of log p(z) over z ~ q(z|x): the maximum-likelihood fit
    to draws.

    Args:
        z_mean: (n, latent_dim).
        z_log_var: (n, latent_dim).
        components: the number of Gaussians.
        seed: the seed of the draws, of the start of EM and of `sample_mixture`.
        setting: the name of the number of Gaussians in messages.

    Raises:
        InputError: there are fewer images than components, or too few for the covariances.
    """
    if components > len(z_mean):
        raise InputError(f"{setting} is {components}, but must be at most the {len(z_mean)} images.")
    z = draw_posterior(z_mean, z_log_var, seed)
    mixture = GaussianMixture(components, max_iter=MAX_ITERATIONS, random_state=seed)
    try:
        with warnings.catch_warnings():  # of the start, by K-means, if draws are equal
            warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
            return mixture.fit(z)
    except ValueError as error:  # from scikit-learn, for a covariance that is not positive definite
        raise InputError(f"{setting} is {components}, too many for these latent vectors: {error}") from None


def sample_mixture(mixture: GaussianMixture, count: int) -> NDArray[np.float32]:
    """Return `count` draws, (count, latent_dim), the same at each call."""
    return np.asarray(mixture.sample(count)[0], np.float32)
