"""Stage `score`: measure the Fréchet distances between generated images and the test images."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

from vae.data.splits import load_splits, missing_classes
from vae.evaluation.classifier import Classifier, features
from vae.evaluation.frechet import compare
from vae.evaluation.image_sets import common_size, image_sets
from vae.evaluation.latent_density import fit_to_part, sample_mixture
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
    test, train = load_splits(Path("data/prepared"), ("test", "train"), image_shape=model.image_shape)
    if reason := missing_classes(train):
        leave_out(
            "The Frechet distances in a classifier's features are",
            reason,
            Path("reports/details/score.json"),
            Path("reports/frechet.json"),
        )
        return
    classifier = load_model(Path("models/classifier.keras"), Classifier, stage="classify")
    total = len(test.images)
    check_images(test.images[:1], classifier.image_shape)  # the values were checked, or are when they are read
    z_mean, z_log_var = load_arrays(
        Path("data/embeddings/train.npz"), "z_mean", "z_log_var", shape=(len(train.images), model.latent_dim)
    )
    (z_mean_test,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean", shape=(total, model.latent_dim))

    mixture = fit_to_part(z_mean, z_log_var, settings.mixture_components, seed)
    count = common_size(test.images, train.images)
    of_all = "" if count == total else f" of {total:,}"
    print(f"Frechet distance between {count:,}{of_all} test images and {count:,} images of each kind", flush=True)
    sets = {
        name: features(classifier, images.items, settings.batch_size, f"features, {name}", images.to_images)
        for name, images in image_sets(
            model, test, train, z_mean_test, sample_mixture(mixture, count), settings.batch_size, seed
        ).items()
    }
    scores = compare(sets.pop("test"), sets, paired={"reconstruction"}, seed=seed)
    write_json(Path("reports/details/score.json"), scores)
    write_metrics(Path("reports/frechet.json"), {"frechet": scores["frechet"]["prior"]})
    distances = ", ".join(f"{name} {scores['frechet'][name]:.4f}" for name in sets)
    print(f"Frechet distance in the classifier's features: {distances}")


if __name__ == "__main__":
    run_stage(main)
