"""The methods of a VAE for its users: encode, decode, reconstruct, sample and score."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from vae.model.conditional import with_labels
from vae.model.inputs import check_count, check_images, check_labels, check_latents
from vae.model.likelihoods import Likelihood
from vae.model.priors import Prior
from vae.model.runtime import images_at_once

Images = NDArray[np.float32]
Latents = NDArray[np.float32]
Labels = NDArray[np.int32]


class PublicMethods:
    """What a trained VAE does with arrays, a batch at a time. `VAE` makes the parts.

    If the likelihood binarizes, images must be binarized, as in training: `vae.data.binarization.binarize(images)`.
    A conditional model needs `labels`: (n,), indices into `class_names`, or a single one for all. No other takes them.
    """

    image_shape: tuple[int, int, int]
    latent_dim: int
    outputs: int
    class_names: tuple[str, ...]
    conditional: bool
    image_fit: str
    encoder: keras.Model
    decoder: keras.Model
    likelihood: Likelihood
    prior: Prior

    def encode(self, images: Images, batch_size: int = 500, *, labels: Any = None) -> tuple[Latents, Latents]:
        """Return z_mean and z_log_var of q(z|x), (n, latent_dim) each, for images (n, height, width, channels).

        Here and in the methods below, a batch has at most `batch_size` images, and fewer if they are large.

        Raises:
            InputError: there are no images, they have another shape or type, or values outside [0, 1], or between 0
                and 1 if the likelihood binarizes; or the labels are missing or superfluous, or have another shape, type
                or range.
        """
        images = self.checked(images)
        labels = self.checked_labels(labels, len(images))
        parts = [
            self.encoder.predict_on_batch(with_labels(images[rows], part))
            for rows, part in self._batches(len(images), batch_size, labels)
        ]
        z_mean, z_log_var = (np.concatenate(part) for part in zip(*parts, strict=True))
        return z_mean, z_log_var

    def decode(self, z: Latents, batch_size: int = 500, *, labels: Any = None) -> Images:
        """Return the mean images of p(x|z), (n, height, width, channels) in [0, 1], for latent vectors (n, latent_dim).

        Raises:
            InputError: there are no latent vectors, or they have another shape; or as in `encode` for the labels.
        """
        z = check_latents(z, self.latent_dim)
        labels = self.checked_labels(labels, len(z))
        batches = self._batches(len(z), batch_size, labels, self.outputs)
        parts = [self.likelihood.mean(self.decoder(with_labels(z[rows], part))) for rows, part in batches]
        return np.concatenate([np.asarray(part) for part in parts])

    def reconstruct(self, images: Images, batch_size: int = 500, *, labels: Any = None) -> Images:
        """Return the mean images at the posterior means of images (n, height, width, channels).

        Raises:
            InputError: as in `encode`.
        """
        z_mean, _ = self.encode(images, batch_size, labels=labels)
        return self.decode(z_mean, batch_size, labels=labels)

    def sample(self, count: int, seed: int | None = None, *, labels: Any = None) -> Images:
        """Return the mean images, (count, height, width, channels), at draws of z from the prior.

        If a conditional model gets no labels, these are drawn too: all classes are equally probable.

        Raises:
            InputError: `count` is less than one; or as in `encode` for the labels.
        """
        check_count(count, "count")
        if self.conditional and labels is None:
            labels = np.random.default_rng(seed).integers(len(self.class_names), size=count)
        return self.decode(np.asarray(self.prior.sample(count, seed)), labels=labels)

    def score(
        self, images: Images, samples: int = 1, seed: int = 0, batch_size: int = 500, *, labels: Any = None
    ) -> NDArray[np.float64]:
        """Return the negative ELBO of each image, (n,), in nats: it is low for images like the training images.

        This is the sum of its `terms`, where the arguments are described.

        Raises:
            InputError: as in `terms`.
        """
        reconstruction, kl = self.terms(images, samples, seed, batch_size, labels=labels)
        return reconstruction + kl

    def terms(
        self, images: Images, samples: int = 1, seed: int = 0, batch_size: int = 500, *, labels: Any = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the two terms of each image's negative ELBO, (n,) each, in nats: reconstruction and KL.

        z is drawn from q(z|x) itself, whatever `epsilon_std`. The noise is the same for each image, so that the terms
        of an image depend on no other image.

        Args:
            images: (n, height, width, channels).
            samples: the number of draws of z for each image, over which the terms are averaged.
            seed: the seed of these draws.
            batch_size: the largest number of images in one batch.
            labels: as above. The sum is then a bound on -log p(x|y).

        Raises:
            InputError: as in `encode`; or `samples` is less than one.
        """
        check_count(samples, "samples")
        images = self.checked(images)
        labels = self.checked_labels(labels, len(images))
        z_mean, z_log_var = self.encode(images, batch_size, labels=labels)
        noise = np.random.default_rng(seed).standard_normal((samples, self.latent_dim), np.float32)
        reconstruction, kl = np.zeros((2, len(images)))
        for epsilon in noise:
            z = z_mean + np.exp(0.5 * z_log_var) * epsilon
            for rows, part in self._batches(len(images), batch_size, labels, self.outputs):
                parameters = self.decoder(with_labels(z[rows], part))
                reconstruction[rows] += np.asarray(self.likelihood.nll(images[rows], parameters))
                kl[rows] += np.asarray(self.prior.kl(z_mean[rows], z_log_var[rows], z[rows]))
        return reconstruction / samples, kl / samples

    def checked(self, images: Any) -> Images:
        """Return the images as float32, or refuse them.

        Raises:
            InputError: as in `encode`.
        """
        return check_images(images, self.image_shape, binary=self.likelihood.binarizes)

    def checked_labels(self, labels: Any, count: int) -> Labels | None:
        """Return the labels of `count` images as int32, (count,), or None for a model that is not conditional.

        Raises:
            InputError: as in `encode`.
        """
        return check_labels(labels, count, self._classes)

    @property
    def _classes(self) -> int:
        """The number of classes that the model sees the labels of."""
        return len(self.class_names) if self.conditional else 0

    def _batches(
        self, count: int, batch_size: int, labels: Labels | None, outputs: int = 1
    ) -> Iterator[tuple[slice, Labels | None]]:
        """Return the rows of each batch and their labels, if there are any; the last may be smaller."""
        check_count(batch_size, "batch_size")
        size = images_at_once(batch_size, self.image_shape, outputs)
        slices = (slice(start, start + size) for start in range(0, count, size))
        return ((rows, None if labels is None else labels[rows]) for rows in slices)
