"""Bounds on the log-likelihood of held-out images: the ELBO, and the importance-weighted bound, which is tighter."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from vae.nn.model import VAE
from vae.nn.objective import kl_nats, reconstruction_nats


class Bounds(NamedTuple):
    """Of n images, (n,) each, in nats: upper bounds on -log p(x), and what the first of them is made of."""

    reconstruction: NDArray[np.float64]
    """-E[log p(x|z)] over q(z|x), averaged over the samples of z."""
    kl: NDArray[np.float64]
    """KL(q(z|x) || p(z)), in closed form; with the reconstruction, the negative ELBO."""
    importance_weighted: NDArray[np.float64]
    """The negative importance-weighted bound."""


Reconstruction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def bounds(
    model: VAE,
    images: NDArray[np.float32],
    *,
    samples: int,
    batch_size: int,
    seed: int,
    title: str = "evaluate",
    reconstruction: Reconstruction = reconstruction_nats,
) -> Bounds:
    """The negative ELBO of each image and its importance-weighted bound, from the same samples of z ~ q(z|x).

    With k samples, Burda et al., "Importance Weighted Autoencoders" (2016), equation 8,
    https://arxiv.org/abs/1509.00519:

        log p(x) >= E[log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x)]

    k = 1 gives the ELBO; the bound rises with k, towards log p(x). One sample of a batch is decoded at a time, so that
    memory does not grow with k.

    Of grey levels, p(x|z) is exp(E_b[log p(b|z)]), b being the image binarized at random. Since the logarithm of a sum
    of exponentials is convex, the bounds are then bounds on E_b[log p(b)], and tend to something below it.

    Args:
        model: its `epsilon_std` is left aside: z is drawn from q(z|x) itself, or the figure would be no bound.
        images: (n, height, width, channels).
        samples: k.
        batch_size: images at a time; memory grows with it.
        seed: of the noise.
        title: of the progress bar.
        reconstruction: -log p(x|z) of a batch, (batch,), from the images and what the decoder makes of z.
    """
    draw = _sampler(model, reconstruction, seed)
    parts = []
    with tqdm(total=len(images) * samples, desc=title, unit=" decodings", unit_scale=True, disable=None) as bar:
        for start in range(0, len(images), batch_size):
            batch = tf.constant(images[start : start + batch_size])
            z_mean, z_log_var = model.encode(batch)
            total, log_sum = np.zeros(len(batch)), np.full(len(batch), -np.inf)
            for _ in range(samples):
                nats, log_ratio = (part.numpy().astype(np.float64) for part in draw(batch, z_mean, z_log_var))
                total += nats
                log_sum = np.logaddexp(log_sum, -nats - log_ratio)
                bar.update(len(batch))
            kl = np.asarray(kl_nats(z_mean, z_log_var), np.float64)
            parts.append(Bounds(total / samples, kl, np.log(samples) - log_sum))
    return Bounds(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _sampler(model: VAE, reconstruction: Reconstruction, seed: int) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """A compiled function of a batch and its q(z|x): -log p(x|z) and log q(z|x) - log p(z) at a draw of z, (batch,)."""
    noise = keras.random.SeedGenerator(seed)

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def draw(batch: tf.Tensor, z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        epsilon = keras.random.normal(tf.shape(z_mean), seed=noise)
        z = z_mean + tf.exp(0.5 * z_log_var) * epsilon
        # the constants of the two Gaussians cancel
        log_ratio = 0.5 * tf.reduce_sum(tf.square(z) - tf.square(epsilon) - z_log_var, axis=-1)
        return reconstruction(batch, model.decoder(z)), log_ratio

    return draw  # type: ignore[no-any-return]


def summarize(parts: Bounds, entropy: NDArray[np.float64]) -> dict[str, float | dict[str, float]]:
    """Means over the images, and their standard errors: the standard deviation over the images / sqrt(n).

    Args:
        parts: of n images.
        entropy: (n,), the floor under the loss of each; of binarized images, in expectation over the binarization.
    """
    per_image = {"loss": parts.reconstruction + parts.kl, **parts._asdict(), "entropy": entropy}
    root = np.sqrt(len(entropy))
    return {
        **{name: float(values.mean()) for name, values in per_image.items()},
        "standard_error": {name: float(values.std(ddof=1) / root) for name, values in per_image.items()},
    }
