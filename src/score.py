"""Stage `score`: measure the Fréchet distances between generated images and the test images."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from vae.data.splits import Split, load_splits, missing_classes, sample_rows
from vae.evaluation.classifier import Classifier, features
from vae.evaluation.frechet import compare
from vae.evaluation.latent_density import fit_mixture, sample_mixture
from vae.evaluation.left_out import leave_out
from vae.io.arrays import load_arrays
from vae.io.tables import write_json, write_metrics
from vae.model.checkpoint import load_model
from vae.model.inputs import check_images
from vae.model.vae import VAE
from vae.settings.loader import load_settings
from vae.settings.score import Score
from vae.stage import run_stage

MAX_VALUES = 2**29
"""The most values of the images of a set, which bound the time: 43,690 images of 64x64x3."""
MAX_FITTED = 100_000
"""The most images that the mixture is fitted to: EM passes over them up to a thousand times."""
Source = tuple[NDArray[Any], Callable[[NDArray[Any]], NDArray[np.float32]]]
"""What images are made from, (n, …), and the function that makes them, a batch at a time."""


def main() -> None:
    seed, settings = load_settings(Score)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    splits = load_splits(Path("data/prepared"), ("test", "train"), image_shape=model.image_shape)
    if reason := missing_classes(splits[1]):
        leave_out(
            "The Frechet distances in a classifier's features are",
            reason,
            Path("reports/details/score.json"),
            Path("reports/frechet.json"),
        )
        return
    classifier = load_model(Path("models/classifier.keras"), Classifier, stage="classify")
    test, train = (split.images for split in splits)
    check_images(test[:1], classifier.image_shape)  # the values were checked, or are when they are read
    z_mean, z_log_var = load_arrays(
        Path("data/embeddings/train.npz"), "z_mean", "z_log_var", shape=(len(train), model.latent_dim)
    )
    (z_mean_test,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean", shape=(len(test), model.latent_dim))

    components = fitting_components(settings.mixture_components, min(len(train), MAX_FITTED))
    rows, fitted = sample_rows(len(train), MAX_FITTED, seed), amount(MAX_FITTED, len(train))
    print(f"fitting {components} Gaussians to one z ~ q(z|x) for each of {fitted} training images", flush=True)
    mixture = fit_mixture(z_mean[rows], z_log_var[rows], components, seed)
    # One size for all sets: the distance depends on it.
    count = min(len(test), len(train), max(2, MAX_VALUES // math.prod(model.image_shape)))
    print(
        f"Frechet distance between {amount(count, len(test))} test images and {count:,} images of each kind", flush=True
    )
    sets = {
        name: features(classifier, items, settings.batch_size, f"features, {name}", to_images)
        for name, (items, to_images) in sources(model, splits, z_mean_test, mixture, count, settings, seed).items()
    }
    scores = compare(sets.pop("test"), sets, paired={"reconstruction"}, seed=seed)
    write_json(Path("reports/details/score.json"), scores)
    write_metrics(Path("reports/frechet.json"), {"frechet": scores["frechet"]["prior"]})
    distances = ", ".join(f"{name} {scores['frechet'][name]:.4f}" for name in sets)
    print(f"Frechet distance in the classifier's features: {distances}")


def sources(
    model: VAE,
    splits: Sequence[Split],
    z_mean_test: NDArray[np.float32],
    mixture: GaussianMixture,
    count: int,
    settings: Score,
    seed: int,
) -> dict[str, Source]:
    """Return what the images of each kind are made from, `count` of each; test images are drawn if there are more."""
    test, train = (split.images for split in splits)
    compared = np.arange(len(test))[sample_rows(len(test), count, seed)]
    decode = partial(model.decode, batch_size=settings.batch_size)
    return {
        "test": (compared, test.__getitem__),
        "prior": (np.asarray(model.prior.sample(count, seed)), decode),
        "reconstruction": (z_mean_test[compared], decode),
        "mixture": (sample_mixture(mixture, count), decode),
        "train": (np.random.default_rng(seed).choice(len(train), count, replace=False), train.__getitem__),
    }


def amount(limit: int, total: int) -> str:
    """Return the total as text, or the limit and the total where that is more."""
    return f"{total:,}" if total <= limit else f"{limit:,} of {total:,}"


def fitting_components(components: int, images: int) -> int:
    """Return the number of components, or of the training images where that is less, which a line then says."""
    if components > images:
        print(f"score.mixture_components is {components}, but {images} training images have room for only {images}.")
    return min(components, images)


if __name__ == "__main__":
    run_stage(main)
