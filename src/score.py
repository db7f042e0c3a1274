"""Stage `score`: measure the Fréchet distances between generated images and the test images."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

import numpy as np

from vae.data.splits import load_splits, missing_classes
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
    check_images(test, classifier.image_shape)
    z_mean, z_log_var = load_arrays(
        Path("data/embeddings/train.npz"), "z_mean", "z_log_var", shape=(len(train), model.latent_dim)
    )
    (z_mean_test,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean", shape=(len(test), model.latent_dim))

    components = fitting_components(settings.mixture_components, len(train))
    print(f"fitting {components} Gaussians to one z ~ q(z|x) for each of {len(train):,} training images", flush=True)
    mixture = fit_mixture(z_mean, z_log_var, components, seed)
    count = min(len(test), len(train))  # one size for all sets: the distance depends on it
    print(f"Frechet distance between {count:,} test images and {count:,} images of each kind", flush=True)
    latents = {
        "prior": np.asarray(model.prior.sample(count, model.latent_dim, seed)),
        "reconstruction": z_mean_test[:count],
        "mixture": sample_mixture(mixture, count),
    }
    images = {name: decode(model, z, settings.batch_size, f"decode, {name}") for name, z in latents.items()}
    images["train"] = np.random.default_rng(seed).choice(train, count, replace=False)
    reference = features(classifier, test[:count], settings.batch_size, "features, test")
    sets = {name: features(classifier, x, settings.batch_size, f"features, {name}") for name, x in images.items()}

    scores = compare(reference, sets, paired={"reconstruction"}, seed=seed)
    write_json(Path("reports/details/score.json"), scores)
    write_metrics(Path("reports/frechet.json"), {"frechet": scores["frechet"]["prior"]})
    distances = ", ".join(f"{name} {scores['frechet'][name]:.4f}" for name in sets)
    print(f"Frechet distance in the classifier's features: {distances}")


def fitting_components(components: int, images: int) -> int:
    """Return the number of components, or of the training images where that is less, which a line then says."""
    if components > images:
        print(f"score.mixture_components is {components}, but {images} training images have room for only {images}.")
    return min(components, images)


if __name__ == "__main__":
    run_stage(main)
