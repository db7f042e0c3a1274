"""A mixture of Gaussians in place of the prior, fitted to a trained VAE's latent vectors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from vae.errors import InputError
from vae.posterior import draw_posterior

MAX_ITERATIONS = 1000  # of EM; scikit-learn's 100 may end before it has converged


def fit_mixture(
    z_mean: NDArray[np.float32], z_log_var: NDArray[np.float32], components: int, seed: int
) -> GaussianMixture:
    """The mixture, of Gaussians with full covariances, fitted by EM to one draw of z ~ q(z|x) for each image.

    Ghosh et al., "From Variational to Deterministic Autoencoders" (2020), https://arxiv.org/abs/1903.12436, sample from
    such a density, fitted after the training. Here to draws and not to the means z_mean, since draws are what
    the decoder was trained on; and since the prior p(z) under which the ELBO of the images is highest, encoder and
    decoder left as they are, is the one with the highest mean of log p(z) over z ~ q(z|x): the maximum likelihood of
    draws. The means lack the posteriors' spread; a dimension that says nothing of the image, all of whose means are
    zero, would be a point.

    Args:
        z_mean: (n, latent_dim).
        z_log_var: (n, latent_dim).
        components: number of Gaussians.
        seed: of the draws, of the start of EM and of `sample_mixture`.

    Raises:
        InputError: there are fewer images than components, or too few for the covariances.
    """
    if components > len(z_mean):
        raise InputError(f"score.mixture_components is {components}, but must be at most the {len(z_mean)} images.")
    z = draw_posterior(z_mean, z_log_var, seed)
    try:
        return GaussianMixture(components, max_iter=MAX_ITERATIONS, random_state=seed).fit(z)
    except ValueError as error:  # scikit-learn's for a covariance that is not positive definite
        raise InputError(
            f"score.mixture_components is {components}, too many for these latent vectors: {error}"
        ) from None


def sample_mixture(mixture: Any, count: int) -> NDArray[np.float32]:
    """`count` draws, (count, latent_dim), the same at each call."""
    return np.asarray(mixture.sample(count)[0], np.float32)
