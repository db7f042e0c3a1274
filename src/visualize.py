"""Stage `visualize`: the pictures in `reports/`, and the coordinates of both t-SNE maps as CSV."""

from pathlib import Path

import numpy as np
import pandas as pd

from vae.errors import run_stage
from vae.figures import charts, grids
from vae.figures.maps import maps
from vae.figures.style import save_figure
from vae.files import write_csv
from vae.nn.checkpoint import load_checkpoint
from vae.settings import Visualize, load_settings
from vae.splits import load_arrays, load_split
from vae.tsne import to_table, tsne

REPORTS = Path("reports")


def main() -> None:
    settings, seed = load_settings(Visualize)
    model = load_checkpoint(Path("models/vae"))
    images, labels, class_names = load_split(Path("data/prepared/test.npz"))
    (z_mean,) = load_arrays(Path("data/embeddings/test.npz"), "z_mean")

    curves = charts.training_curves(pd.read_csv(REPORTS / "history.csv"))
    save_figure(REPORTS / "training_curves.png", curves)

    originals = images[grids.first_of_each_class(labels, settings.reconstructions_per_class)]
    pairs = grids.reconstructions(originals, np.asarray(model.reconstruct(originals)), class_names)
    save_figure(REPORTS / "reconstructions.png", pairs)

    samples = np.asarray(model.sample(settings.prior_samples, seed))
    save_figure(REPORTS / "prior_samples.png", grids.samples(samples, "Decoded draws from the prior"))

    shown = slice(settings.tsne_points)
    image_map = tsne(images[shown], perplexity=settings.perplexity, seed=seed, title="t-SNE of the test images")
    latent_map = tsne(z_mean[shown], perplexity=settings.perplexity, seed=seed, title="t-SNE of their latent vectors")
    write_csv(REPORTS / "tsne_images.csv", to_table(image_map, labels[shown], class_names))
    write_csv(REPORTS / "tsne_latents.csv", to_table(latent_map, labels[shown], class_names))
    places = {"t-SNE of the test images": image_map, "t-SNE of their latent vectors": latent_map}
    save_figure(REPORTS / "tsne.png", maps(places, labels[shown], class_names))
    print("drawn: training curves, reconstructions, samples from the prior, t-SNE maps")


if __name__ == "__main__":
    run_stage(main)
