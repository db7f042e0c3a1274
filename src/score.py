"""Stage `score`: the Fréchet distances of generated images from the test images to `reports/frechet.json`."""

from pathlib import Path

import numpy as np

from vae.errors import run_stage
from vae.files import write_json
from vae.frechet import compare
from vae.mixture import fit_mixture, sample_mixture
from vae.nn.checkpoint import load_checkpoint
from vae.nn.classifier import features, load_classifier
from vae.nn.generation import decode, draw_prior
from vae.settings import Score, load_settings
from vae.splits import load_arrays, load_split


def main() -> None:
    settings, seed = load_settings(Score)
    model, classifier = load_checkpoint(Path("models/vae")), load_classifier(Path("models/classifier"))
    test, train = (load_split(Path(f"data/prepared/{name}.npz")).images for name in ("test", "train"))
    z_mean, z_log_var = load_arrays(
        Path("data/embeddings/train.npz"), "z_mean", "z_log_var", shape=(len(train), model.latent_dim)
    )
    (z_mean_test,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean", shape=(len(test), model.latent_dim))

    components = settings.mixture_components
    print(f"fitting {components} Gaussians to one z ~ q(z|x) of each of {len(train):,} training images", flush=True)
    mixture = fit_mixture(z_mean, z_log_var, components, seed)
    count = min(len(test), len(train))  # of all sets alike, since the distance depends on it
    print(f"Frechet distance of {count:,} test images to as many of each kind", flush=True)
    latents = {
        "prior": draw_prior(model.latent_dim, count, seed),
        "reconstruction": z_mean_test[:count],
        "mixture": sample_mixture(mixture, count),
    }
    images = {name: decode(model, z, settings.batch_size, f"decode, {name}") for name, z in latents.items()}
    images["train"] = np.random.default_rng(seed).choice(train, count, replace=False)
    reference = features(classifier, test[:count], settings.batch_size, "features, test")
    sets = {name: features(classifier, x, settings.batch_size, f"features, {name}") for name, x in images.items()}

    scores = compare(reference, sets, paired={"reconstruction"}, seed=seed)
    write_json(Path("reports/frechet.json"), scores)
    figures = ", ".join(f"{name} {scores['frechet'][name]:.4f}" for name in sets)
    print(f"Frechet distance in the classifier's features: {figures}")


if __name__ == "__main__":
    run_stage(main)
