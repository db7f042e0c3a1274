"""The functions that `vae` has on the command line and in Python: encode, decode, reconstruct, sample and others.

Each has two forms. The one with the name of the command returns arrays by name, such as `encode(...)["z_mean"]`. The
other, with `_rows` in its name, yields the same a batch at a time, so that the memory does not grow with the number of
images.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.data.shards import pieces
from vae.errors import InputError
from vae.inference.density import draw_from_latents
from vae.inference.images import Choices, batches, label_of
from vae.inference.latents import Latents, vectors
from vae.inference.model import MODEL, Model, open_model
from vae.inference.outputs import Results
from vae.inference.sources import Source
from vae.model.conditional import with_labels
from vae.model.inputs import check_count
from vae.model.runtime import images_at_once
from vae.model.vae import VAE

Arrays = dict[str, NDArray[Any]]


def encode(source: Source, model: Model = MODEL, **choices: Any) -> Arrays:
    """Return `name` (n,), `z_mean` and `z_log_var` (n, latent_dim) of q(z|x) for each image.

    Args:
        source: images, as in `vae.inference.images.batches`: an array, or paths of files, folders or `.npz` files.
        model: a VAE, or the path of its file.
        **choices: the fields of `vae.inference.images.Choices`: `batch_size`, `class_name`, `skip_unreadable`,
            `part`.

    Raises:
        InputError: as in `vae.load` for the model, and as in `batches` for the images.
    """
    return collected(encode_rows(source, open_model(model), Choices(**choices)))


def encode_rows(source: Source, model: VAE, choices: Choices) -> Iterator[Results]:
    """Yield what `encode` returns, a batch at a time."""
    for names, images, labels in batches(source, model, choices, "encode"):
        z_mean, z_log_var = model.encoder.predict_on_batch(with_labels(images, _int32(labels)))
        yield {"name": names, "z_mean": z_mean, "z_log_var": z_log_var}


def reconstruct(source: Source, model: Model = MODEL, **choices: Any) -> Arrays:
    """Return `name` (n,), `original` and `image` (n, height, width, channels): the mean of p(x|z) at z_mean.

    The original is the image as the model sees it. Arguments and errors are as in `encode`.
    """
    return collected(reconstruct_rows(source, open_model(model), Choices(**choices)))


def reconstruct_rows(source: Source, model: VAE, choices: Choices) -> Iterator[Results]:
    """Yield what `reconstruct` returns, a batch at a time."""
    for names, images, labels in batches(source, model, choices, "reconstruct"):
        yield {"name": names, "original": images, "image": model.reconstruct(images, labels=labels)}


def score(source: Source, model: Model = MODEL, *, samples: int = 8, seed: int = 0, **choices: Any) -> Arrays:
    """Return the images ordered by their negative ELBO, the highest first: these fit the model least.

    Args:
        source: as in `encode`.
        model: as in `encode`.
        samples: the number of draws of z for each image. The noise is the same for each, so that an image's score
            depends on no other image.
        seed: the seed of these draws. Equal arguments give equal scores.
        **choices: as in `encode`.

    Returns:
        `rank` from 1, `name`, `score`, and its terms `reconstruction` and `kl`, (n,) each, in nats per image. Scores of
        models with different likelihoods cannot be compared.

    Raises:
        InputError: as in `encode`, or there are no samples.
    """
    check_count(samples, "samples")
    opened, parts = open_model(model), list[Results]()
    for names, images, labels in batches(source, opened, Choices(**choices), "score"):
        reconstruction, kl = opened.terms(images, samples, seed, labels=labels)
        parts.append({"name": names, "score": reconstruction + kl, "reconstruction": reconstruction, "kl": kl})
    arrays = collected(parts)
    order = np.argsort(-arrays["score"], kind="stable")
    return {"rank": np.arange(1, len(order) + 1)} | {key: values[order] for key, values in arrays.items()}


def decode(
    source: Latents | Path | str, model: Model = MODEL, *, class_name: str | None = None, batch_size: int = 500
) -> Arrays:
    """Return `name` (n,) and `image` (n, height, width, channels): the mean of p(x|z) at each latent vector.

    Args:
        source: latent vectors, as in `vae.inference.latents.vectors`: an array (n, latent_dim), or a file.
        model: as in `encode`.
        class_name: the class of all images, for a conditional model.
        batch_size: the largest number of vectors in a batch.

    Raises:
        InputError: as in `vae.load`, `vectors` and `label_of`.
    """
    return collected(decode_rows(source, open_model(model), class_name, batch_size))


def decode_rows(
    source: Latents | Path | str | IO[str], model: VAE, class_name: str | None, batch_size: int
) -> Iterator[Results]:
    """Yield what `decode` returns, a batch at a time."""
    check_count(batch_size, "batch_size")
    labels = None if class_name is None else label_of(class_name, model)
    size = images_at_once(batch_size, model.image_shape, model.outputs)
    with tqdm(desc="decode", unit="image", disable=None) as bar:
        for names, z in vectors(source, model.latent_dim, size):
            yield {"name": names, "image": model.decode(z, labels=labels)}
            bar.update(len(z))


def sample(
    count: int = 100,
    model: Model = MODEL,
    *,
    seed: int = 0,
    class_name: str | None = None,
    latents: Path | str | None = None,
    components: int = 10,
) -> Arrays:
    """Return `name` (n,), `z` (n, latent_dim) and `image` (n, height, width, channels): the mean of p(x|z) at draws.

    Args:
        count: n, the number of draws.
        model: as in `encode`.
        seed: their seed. Equal arguments give equal images.
        class_name: the class of all images. Without one, the classes of a conditional model's images are drawn, too.
        latents: a file that `encode` or the stage `embed` wrote. z is then drawn from a mixture of Gaussians that is
            fitted to its latent vectors, instead of the model's prior.
        components: the number of Gaussians.

    Raises:
        InputError: as in `vae.load`, `draw_from_latents` and `label_of`, or the count is less than one.
    """
    return collected(sample_rows(count, open_model(model), seed, class_name, latents, components))


def sample_rows(
    count: int, model: VAE, seed: int, class_name: str | None, latents: Path | str | None, components: int
) -> Iterator[Results]:
    """Yield what `sample` returns, a batch at a time."""
    check_count(count, "count")
    labels: NDArray[np.int64] | None = None
    if class_name is not None:
        labels = np.full(count, label_of(class_name, model))
    elif model.conditional:
        labels = np.random.default_rng(seed).integers(len(model.class_names), size=count)
    if latents is None:
        z = np.asarray(model.prior.sample(count, seed))
    else:
        z = draw_from_latents(Path(latents), model.latent_dim, count, components, seed)
    size = images_at_once(500, model.image_shape, model.outputs)
    for rows in tqdm([*pieces(count, size)], "sample", unit="batch", disable=None):
        names = np.array([str(number) for number in range(count)[rows]])
        part = None if labels is None else labels[rows]
        yield {"name": names, "z": z[rows], "image": model.decode(z[rows], labels=part)}


def interpolate(
    start: Source, end: Source, model: Model = MODEL, *, steps: int = 11, class_name: str | None = None
) -> Arrays:
    """Return the straight way in the latent space between the posterior means of two images.

    Args:
        start: one image, as in `encode`.
        end: another one.
        model: as in `encode`.
        steps: the number of images, both ends included.
        class_name: the class of all images. Without one, a conditional model decodes the class of the first image.

    Returns:
        `name` (steps,), the share of the way; `z` (steps, latent_dim); and `image` (steps, height, width, channels).

    Raises:
        InputError: as in `encode`; a source has more than one image, or there are fewer than two steps.
    """
    if steps < 2:
        raise InputError(f"steps is {steps}, but must be at least 2: both ends are included.")
    opened = open_model(model)
    (first, label), (last, _) = (_encoded(source, opened, class_name) for source in (start, end))
    shares = np.linspace(0, 1, steps, dtype=np.float32)
    z = first + shares[:, np.newaxis] * (last - first)
    return {"name": np.array([f"{share:.3f}" for share in shares]), "z": z, "image": opened.decode(z, labels=label)}


def _encoded(source: Source, model: VAE, class_name: str | None) -> tuple[NDArray[np.float32], int | None]:
    """Return the posterior mean of a single image, (latent_dim,), and its label.

    Raises:
        InputError: as in `batches`, or there is more than one image.
    """
    found = [*batches(source, model, Choices(class_name=class_name), "encode")]
    if (count := sum(len(batch.names) for batch in found)) > 1:
        where = source if isinstance(source, str | Path) else "an end"
        raise InputError(f"{where} contains {count:,} images, but must be a single one.")
    ((_, images, labels),) = found
    return model.encode(images, labels=labels)[0][0], None if labels is None else int(labels[0])


def collected(parts: Iterable[Results]) -> Arrays:
    """Return the arrays of all parts, one after the other."""
    every = list(parts)
    return {name: np.concatenate([part[name] for part in every]) for name in every[0]}


def _int32(labels: NDArray[np.int64] | None) -> NDArray[np.int32] | None:
    return None if labels is None else labels.astype(np.int32)
