"""The methods of a VAE for its users: encode, decode, reconstruct, sample and score."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from vae.model.inputs import check_count, check_images, check_latents
from vae.model.likelihoods import Likelihood
from vae.model.priors import Prior
from vae.model.runtime import images_at_once

Images = NDArray[np.float32]
Latents = NDArray[np.float32]


class PublicMethods:
    """What a trained VAE does with arrays, a batch at a time. `VAE` makes the parts."""

    image_shape: tuple[int, int, int]
    latent_dim: int
    outputs: int
    encoder: keras.Model
    decoder: keras.Model
    likelihood: Likelihood
    prior: Prior

    def encode(self, images: Images, batch_size: int = 500) -> tuple[Latents, Latents]:
        """Return z_mean and z_log_var of q(z|x), (n, latent_dim) each, for images (n, height, width, channels).

        Here and in the methods below, a batch has at most `batch_size` images, and fewer if they are large.

        Raises:
            InputError: there are no images, they have another shape or type, or values outside [0, 1].
        """
        images = self.checked(images)
        parts = [self.encoder.predict_on_batch(images[rows]) for rows in self._batches(len(images), batch_size)]
        z_mean, z_log_var = (np.concatenate(part) for part in zip(*parts, strict=True))
        return z_mean, z_log_var

    def decode(self, z: Latents, batch_size: int = 500) -> Images:
        """Return the mean images of p(x|z), (n, height, width, channels) in [0, 1], for latent vectors (n, latent_dim).

        Raises:
            InputError: there are no latent vectors, or they have another shape.
        """
        z = check_latents(z, self.latent_dim)
        batches = self._batches(len(z), batch_size, self.outputs)
        parts = [self.likelihood.mean(self.decoder(z[rows])) for rows in batches]
        return np.concatenate([np.asarray(part) for part in parts])

    def reconstruct(self, images: Images, batch_size: int = 500) -> Images:
        """Return the mean images at the posterior means of images (n, height, width, channels).

        Raises:
            InputError: as in `encode`.
        """
        return self.decode(self.encode(images, batch_size)[0], batch_size)

    def sample(self, count: int, seed: int | None = None) -> Images:
        """Return the mean images, (count, height, width, channels), at draws of z from the prior.

        Raises:
            InputError: `count` is less than one.
        """
        check_count(count, "count")
        return self.decode(np.asarray(self.prior.sample(count, seed)))

    def score(self, images: Images, samples: int = 1, seed: int = 0, batch_size: int = 500) -> NDArray[np.float64]:
        """Return the negative ELBO of each image, (n,), in nats: it is low for images like the training images.

        z is drawn from q(z|x) itself, whatever `epsilon_std`. Equal arguments give equal scores.

        Args:
            images: (n, height, width, channels).
            samples: the number of draws of z for each image, over which the score is averaged.
            seed: the seed of these draws.
            batch_size: the largest number of images in one batch.

        Raises:
            InputError: as in `encode`; or `samples` is less than one.
        """
        check_count(samples, "samples")
        images = self.checked(images)
        z_mean, z_log_var = self.encode(images, batch_size)
        rng, total = np.random.default_rng(seed), np.zeros(len(images))
        for _ in range(samples):
            z = z_mean + np.exp(0.5 * z_log_var) * rng.standard_normal(z_mean.shape, np.float32)
            for rows in self._batches(len(images), batch_size, self.outputs):
                reconstruction = self.likelihood.nll(images[rows], self.decoder(z[rows]))
                total[rows] += np.asarray(reconstruction + self.prior.kl(z_mean[rows], z_log_var[rows], z[rows]))
        return total / samples

    def checked(self, images: Any) -> Images:
        """Return the images as float32, or refuse them.

        Raises:
            InputError: as in `encode`.
        """
        return check_images(images, self.image_shape)

    def _batches(self, count: int, batch_size: int, outputs: int = 1) -> list[slice]:
        """Return the rows of each batch; the last may be smaller."""
        check_count(batch_size, "batch_size")
        size = images_at_once(batch_size, self.image_shape, outputs)
        return [slice(start, start + size) for start in range(0, count, size)]
