"""Stage `explore`: write the page on which to explore the model in a browser."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

import numpy as np

from vae.data.splits import load_splits
from vae.evaluation.embedding import Embedding, seen_by
from vae.evaluation.latent_density import fit_to_part, sample_mixture
from vae.explorer.contents import Contents
from vae.explorer.page import write_page
from vae.io.arrays import load_arrays
from vae.io.tables import read_csv
from vae.model.checkpoint import load_model
from vae.model.vae import VAE
from vae.settings.explore import Explore
from vae.settings.loader import load_settings
from vae.settings.score import Score
from vae.stage import run_stage

PAGE = Path("reports/explorer.html")
MAPS = {"t-SNE of the latent vectors": "latents", "t-SNE of the images": "images"}
DRAWS = 1_000


def main() -> None:
    seed, settings, score = load_settings(Explore, Score)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    (test,) = load_splits(Path("data/prepared"), ("test",), image_shape=model.image_shape)
    shape = len(test.images), model.latent_dim
    z_mean, z_log_var = load_arrays(Path("data/embeddings/test.npz"), "z_mean", "z_log_var", shape=shape)
    train_mean, train_log_var = load_arrays(Path("data/embeddings/train.npz"), "z_mean", "z_log_var")
    reconstruction, kl = load_arrays(Path("data/evaluation/test.npz"), "reconstruction", "kl", shape=shape[:1])
    maps = {title: read_csv(Path(f"reports/tsne_{name}.csv"), "x", "y") for title, name in MAPS.items()}
    mixture = fit_to_part(train_mean, train_log_var, score.mixture_components, seed)
    # scikit-learn sorts the draws by their Gaussian
    mixture_draws = np.random.default_rng(seed).permutation(sample_mixture(mixture, DRAWS))

    contents = Contents(
        model,
        seen_by(model, test),
        Embedding(z_mean, z_log_var, test.labels),
        {title: table[["x", "y"]].to_numpy() for title, table in maps.items()},
        {"prior": np.asarray(model.prior.sample(DRAWS, seed)), "mixture": mixture_draws},
        reconstruction=float(reconstruction.mean()),
        kl=float(kl.mean()),
    )
    count, precision = write_page(PAGE, contents, settings.images)
    size = PAGE.stat().st_size / 1e6
    print(f"wrote {PAGE}, {size:.1f} MB, with {count:,} test images and weights in {precision}: open it in a browser")


if __name__ == "__main__":
    run_stage(main)
