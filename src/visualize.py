"""Stage `visualize`: the pictures in `reports/`, and the coordinates of both t-SNE maps as CSV."""

from pathlib import Path

import numpy as np
import pandas as pd

from vae import figures
from vae.errors import run_stage
from vae.files import write_csv
from vae.nn.checkpoint import load_checkpoint
from vae.settings import Visualize, load_settings
from vae.splits import first_of_each_class, load_arrays, load_split
from vae.tsne import to_table, tsne

REPORTS = Path("reports")


def main() -> None:
    settings, seed = load_settings(Visualize)
    model = load_checkpoint(Path("models/vae"))
    test = load_split(Path("data/prepared/test.npz"))
    (z_mean,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean")

    history = pd.read_csv(REPORTS / "history.csv")
    figures.save_figure(REPORTS / "training_curves.png", figures.training_curves(history))

    shown = first_of_each_class(test.labels, settings.reconstructions_per_class)
    originals, reconstructed = test.images[shown], np.asarray(model.reconstruct(test.images[shown.ravel()]))
    picture = figures.reconstructions(
        originals[..., 0], reconstructed.reshape(originals.shape)[..., 0], test.class_names
    )
    figures.save_figure(REPORTS / "reconstructions.png", picture)

    drawn = np.asarray(model.sample(settings.prior_samples, seed))[..., 0]
    figures.save_figure(REPORTS / "prior_samples.png", figures.samples(drawn, "Decoded draws from the prior"))

    count = min(settings.tsne_points, len(test.labels))
    labels = test.labels[:count]
    places = {}
    for name, points in {"images": test.images.reshape(len(test.images), -1), "latents": z_mean}.items():
        places[name] = tsne(points[:count], perplexity=settings.perplexity, seed=seed, title=f"t-SNE of {name}")
        write_csv(REPORTS / f"tsne_{name}.csv", to_table(places[name], test.class_names[labels]))
    titles = {
        f"t-SNE of the {count:,} test {'images' if k == 'images' else 'latent vectors'}": v for k, v in places.items()
    }
    figures.save_figure(REPORTS / "tsne.png", figures.maps(titles, labels, test.class_names))


if __name__ == "__main__":
    run_stage(main)
