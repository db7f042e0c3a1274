"""The negative ELBO of held-out images, with its standard error."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from vae.nn.model import VAE
from vae.nn.objective import kl_nats, reconstruction_nats


class Terms(NamedTuple):
    """The two terms of the negative ELBO, (n,) each, in nats per image."""

    reconstruction: NDArray[np.float64]
    """Averaged over the samples of z."""
    kl: NDArray[np.float64]


def elbo_terms(model: VAE, images: NDArray[np.float32], *, samples: int, batch_size: int, seed: int) -> Terms:
    """Each image's terms: the reconstruction by Monte Carlo over z ~ q(z|x), the KL in closed form.

    Args:
        model: its `epsilon_std` is left aside: z is drawn from q(z|x) itself, or the figure would be no bound.
        images: (n, 28, 28, 1).
        samples: of z for each image.
        batch_size: images at a time; memory grows with it.
        seed: of the noise.
    """
    noise = keras.random.SeedGenerator(seed)

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def reconstruction(batch: tf.Tensor, z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
        epsilon = keras.random.normal(tf.shape(z_mean), seed=noise)
        return reconstruction_nats(batch, model.decoder(z_mean + tf.exp(0.5 * z_log_var) * epsilon))

    def batch_terms(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        z_mean, z_log_var = model.encode(batch)
        draws = [reconstruction(batch, z_mean, z_log_var) for _ in range(samples)]
        return tf.reduce_mean(draws, axis=0), kl_nats(z_mean, z_log_var)

    starts = range(0, len(images), batch_size)
    parts = [
        batch_terms(tf.constant(images[i : i + batch_size]))
        for i in tqdm(starts, "evaluate", unit="batch", disable=None)
    ]
    return Terms(*(np.concatenate(term).astype(np.float64) for term in zip(*parts, strict=True)))


def summarize(terms: Terms, samples: int) -> dict[str, float | int | dict[str, float]]:
    """Means over the images, and their standard errors: the standard deviation over the images / sqrt(n)."""
    per_image = {"loss": terms.reconstruction + terms.kl, "reconstruction": terms.reconstruction, "kl": terms.kl}
    count = len(terms.kl)
    return {
        **{name: float(values.mean()) for name, values in per_image.items()},
        "standard_error": {name: float(values.std(ddof=1) / np.sqrt(count)) for name, values in per_image.items()},
        "images": count,
        "samples_per_image": samples,
    }
