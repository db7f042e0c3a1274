"""Bounds on the log-likelihood of held-out images: the ELBO, and the importance-weighted bound, which is tighter."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple

import vae.model  # noqa: F401, sets TensorFlow up before Keras is imported

# isort: split
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.shards import Images, pieces
from vae.data.splits import Labels
from vae.errors import InputError
from vae.model.conditional import with_labels
from vae.model.runtime import images_at_once
from vae.model.sampling import repeated
from vae.model.vae import VAE
from vae.training.resume import StateFile

SAVE_SECONDS = 20
"""The seconds between two states on disk, which a killed computation loses at most."""
Draw = Callable[[tf.Tensor, tf.Tensor | None, tf.Tensor, tf.Tensor], list[NDArray[np.float64]]]


class Bounds(NamedTuple):
    """Two upper bounds on -log p(x), the first as its two terms; (n,) each, in nats per image."""

    reconstruction: NDArray[np.float64]
    """-E[log p(x|z)] over q(z|x), averaged over the samples of z."""
    kl: NDArray[np.float64]
    """KL(q(z|x) || p(z)), as the prior computes it. Added to the reconstruction, it gives the negative ELBO."""
    importance_weighted: NDArray[np.float64]
    """The negative importance-weighted bound."""


def bounds(
    model: VAE,
    images: Images,
    *,
    samples: int,
    batch_size: int,
    seed: int,
    title: str = "evaluate",
    state: StateFile | None = None,
    labels: Labels | None = None,
) -> Bounds:
    """Return the negative ELBO of each image and its importance-weighted bound, from the same samples of z ~ q(z|x).

    The second, with k samples, is equation 8 of Burda et al., "Importance Weighted Autoencoders" (2016),
    https://arxiv.org/abs/1509.00519:

        log p(x) >= E[log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x)]

    k = 1 gives the ELBO. The bound rises with k, towards log p(x).

    For grey levels x, p(x|z) is exp(E_b[log p(b|z)]), where b is the image binarized at random. The logarithm of a sum
    of exponentials is convex, so both are then lower bounds on E_b[log p(b)], and the limit for large k lies below it.

    An image is encoded once. A batch of the decoder has one sample for each of its images, or several if the images are
    few.

    Args:
        model: the VAE. Its `epsilon_std` is not used: unless z is drawn from q(z|x) itself, the result is no bound.
        images: (n, height, width, channels), in [0, 1].
        samples: k.
        batch_size: the largest number of samples that are decoded at once; there are fewer if the images are large.
            Beyond that, memory does not grow with k.
        seed: the seed of the noise.
        title: the title of the progress bar.
        state: the file that keeps the sums so far, written every `SAVE_SECONDS`. If it contains some, the computation
            resumes from there, and ends as if it had never been interrupted.
        labels: (n,), for a conditional model, whose bounds are on p(x|y).

    Raises:
        InputError: the labels do not fit the model and the images.
    """
    labels = model.checked_labels(labels, len(images))
    sums, done = _Sums.start(len(images), state)
    noise = keras.random.SeedGenerator(seed)
    noise.state.assign([seed, done])  # it counts the batches
    draw, size = _compile_draw(model, noise), images_at_once(batch_size, images.shape[1:], model.outputs)
    batches, encoded, saved = _batches(len(images), samples, size), None, monotonic()
    with tqdm(
        total=len(images) * samples,
        initial=sum(draws * len(sums.kl[rows]) for rows, draws in islice(batches, done)),
        desc=title,
        unit=" decodings",
        unit_scale=True,
        disable=None,
    ) as bar:
        for rows, draws in batches:
            if rows != encoded:
                batch = tf.constant(images[rows])
                theirs = None if labels is None else tf.constant(labels[rows])
                z_mean, z_log_var = model.encoder(with_labels(batch, theirs), training=False)
                encoded = rows
            sums.add(
                rows,
                *draw(
                    repeated(batch, draws),
                    None if theirs is None else repeated(theirs, draws),
                    repeated(z_mean, draws),
                    repeated(z_log_var, draws),
                ),
            )
            done += 1
            bar.update(draws * len(batch))
            if state and monotonic() - saved > SAVE_SECONDS:
                sums.save(state, done)
                saved = monotonic()
    if state:
        sums.save(state, done)
    return Bounds(sums.reconstruction / samples, sums.kl / samples, np.log(samples) - sums.log_weights)


def _batches(count: int, samples: int, size: int) -> Iterator[tuple[slice, int]]:
    """Yield the rows of each batch, and how many of their samples it has: as equal numbers as possible.

    Args:
        count: the number of images.
        samples: the samples of each image in all batches together.
        size: the largest number of samples in one batch, of all its images together.
    """
    for rows in pieces(count, size):
        parts = math.ceil(samples / (size // len(range(count)[rows])))
        for part in pieces(samples, math.ceil(samples / parts)):
            yield rows, len(range(samples)[part])


class _Sums(NamedTuple):
    """Sums over the samples of z so far, (n,) each, in nats."""

    reconstruction: NDArray[np.float64]
    kl: NDArray[np.float64]
    log_weights: NDArray[np.float64]
    """The logarithm of the sum of the weights p(x|z) p(z) / q(z|x)."""

    @classmethod
    def start(cls, count: int, state: StateFile | None) -> tuple["_Sums", int]:
        """Return the sums for `count` images and the number of batches in a state; zeros without a state."""
        if state and (found := state.read()):
            values, arrays = found
            print(f"Resuming from {state.path} (batches done: {values['batches']:,})", flush=True)
            return cls(*arrays), values["batches"]
        return cls(np.zeros(count), np.zeros(count), np.full(count, -np.inf)), 0

    def save(self, state: StateFile, batches: int) -> None:
        """Replace the state by these sums, which are of so many batches."""
        state.write({"batches": batches}, list(self))

    def add(
        self,
        rows: slice,
        nll: NDArray[np.float64],
        kl: NDArray[np.float64],
        log_ratio: NDArray[np.float64],
    ) -> None:
        """Add the terms, (draws * images,) each, of one or several samples of each of the images `rows`."""
        nll, kl, log_ratio = (term.reshape(-1, len(self.kl[rows])) for term in (nll, kl, log_ratio))
        self.reconstruction[rows] += nll.sum(axis=0)
        self.kl[rows] += kl.sum(axis=0)
        self.log_weights[rows] = np.logaddexp(self.log_weights[rows], np.logaddexp.reduce(-nll - log_ratio, axis=0))


def _compile_draw(model: VAE, noise: keras.random.SeedGenerator) -> Draw:
    """Return a function of a batch of images, their labels or None, z_mean and z_log_var, which draws a z for each.

    It returns -log p(x|z), the KL, and log q(z|x) - log p(z), (batch,) each, in float64.
    """
    log_prior = model.prior.density()

    # Traced for each size of batches: a graph for any size would round differently.
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def compiled(
        batch: tf.Tensor, labels: tf.Tensor | None, z_mean: tf.Tensor, z_log_var: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        epsilon = keras.random.normal(tf.shape(z_mean), seed=noise)
        z = z_mean + tf.exp(0.5 * z_log_var) * epsilon
        log_q = -0.5 * tf.reduce_sum(tf.square(epsilon) + z_log_var + math.log(2 * math.pi), axis=-1)
        return model.likelihood.nll(batch, model.decoder(with_labels(z, labels))), log_q - log_prior(z)

    def draw(
        batch: tf.Tensor, labels: tf.Tensor | None, z_mean: tf.Tensor, z_log_var: tf.Tensor
    ) -> list[NDArray[np.float64]]:
        nll, log_ratio = compiled(batch, labels, z_mean, z_log_var)
        kl = model.prior.kl(z_mean, z_log_var) if model.prior.has_exact_kl else log_ratio
        return [np.asarray(term, np.float64) for term in (nll, kl, log_ratio)]

    return draw


def summarize(parts: Bounds, entropy: NDArray[np.float64] | None) -> dict[str, float | dict[str, float]]:
    """Return means over the images, and their standard errors: the standard deviation over the images / sqrt(n).

    Args:
        parts: the bounds of n images.
        entropy: (n,), the lower bound on the loss of each image, if there is one. For binarized images it holds in
            expectation over the binarization.

    Raises:
        InputError: there is only one image.
    """
    count = len(parts.kl)
    if count < 2:
        raise InputError("there is one test image, but standard errors need at least two.")
    per_image = {"loss": parts.reconstruction + parts.kl, **parts._asdict()}
    per_image |= {} if entropy is None else {"entropy": entropy}
    root = np.sqrt(count)
    return {
        **{name: float(values.mean()) for name, values in per_image.items()},
        "standard_error": {name: float(values.std(ddof=1) / root) for name, values in per_image.items()},
    }


def in_bits(results: Mapping[str, Any], image_shape: Sequence[int]) -> dict[str, Any]:
    """Return the results of `summarize` as `bits_per_dimension`."""
    names = results["standard_error"]
    means, errors = (
        {name: bits_per_dimension(nats[name], image_shape) for name in names}
        for nats in (results, results["standard_error"])
    )
    return {"bits_per_dimension": {**means, "standard_error": errors}}


def bits_per_dimension(nats: float, image_shape: Sequence[int]) -> float:
    """Return nats per image as bits per dimension, which compare across sizes: nats / (values * ln 2).

    The values of an image are its height * width * channels: van den Oord et al., "Pixel Recurrent Neural Networks"
    (2016), section 5.1, https://arxiv.org/abs/1601.06759. Theirs are bits of the 256 levels of 8-bit images. The bits
    of a Bernoulli likelihood, which are bits of binarized images, cannot be compared with them. Nor can the bits of a
    density on [0, 1], which are 8 lower: the stage `evaluate` leaves them out.

    Args:
        nats: nats per image.
        image_shape: (height, width, channels).
    """
    return nats / (math.prod(image_shape) * math.log(2))
