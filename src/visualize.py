"""Stage `visualize`: draw the figures in `reports/` and write the CSV files that `dvc plots` draws."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.data.splits import Split, first_images, load_splits
from vae.evaluation import latent_dimensions, map_quality
from vae.evaluation.generation import decode
from vae.io.arrays import load_arrays
from vae.io.tables import read_csv, write_csv, write_json
from vae.model.checkpoint import load_model
from vae.model.vae import VAE
from vae.plots import charts, examples, grids, latent_walks
from vae.plots.maps import maps
from vae.plots.style import save_figure
from vae.plots.tsne import to_table, tsne
from vae.settings.loader import load_settings
from vae.settings.visualize import Visualize
from vae.stage import run_stage

REPORTS = Path("reports")
ORDER = ("test", "train", "validation")  # of the images in the maps
MAPS = {"images": "t-SNE of the images", "latents": "t-SNE of their latent vectors"}
TRAVERSED = 16
TRAVERSAL_VALUES = np.linspace(-3, 3, 13)
INTERPOLATION_STEPS = 11
MANIFOLD_STEPS = 20


def main() -> None:
    seed, settings = load_settings(Visualize)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    splits = load_splits(Path("data/prepared"), ORDER, image_shape=model.image_shape, labelled=True)
    means: list[NDArray[np.float32]] = []
    for name, split in zip(ORDER, splits, strict=True):
        shape = len(split.images), model.latent_dim
        means += load_arrays(Path(f"data/embeddings/{name}.npz"), "z_mean", shape=shape)
    test, z_mean = splits[0], means[0]
    (z_log_var,) = load_arrays(Path("data/embeddings/test.npz"), "z_log_var", shape=z_mean.shape)
    reconstruction, kl = load_arrays(Path("data/evaluation/test.npz"), "reconstruction", "kl", shape=z_mean.shape[:1])
    history = read_csv(REPORTS / "history.csv", *charts.HISTORY_COLUMNS)

    save_figure(REPORTS / "training_curves.png", charts.training_curves(history))
    draw_losses(test, reconstruction + kl)
    draw_reconstructions(model, test, z_mean, reconstruction + kl)
    draw_dimensions(model, latent_dimensions.by_kl(z_mean, z_log_var))
    draw_interpolations(model, test, z_mean)
    samples = model.sample(settings.prior_samples, seed)
    save_figure(REPORTS / "prior_samples.png", grids.samples(samples, f"{len(samples)} decoded draws from the prior"))
    draw_maps(settings, seed, first_images(splits, settings.tsne_points), np.concatenate(means))
    print(f"wrote the figures and tables in {REPORTS}/")


def draw_losses(test: Split, loss: NDArray[np.float64]) -> None:
    """Draw the histogram of the loss with the images of largest loss."""
    bins, hardest = charts.loss_histogram(loss), examples.hardest(loss, charts.GALLERY)
    captions = [f"{test.class_names[test.known_labels[i]]}\n{loss[i]:.1f}" for i in hardest]
    write_csv(REPORTS / "loss_histogram.csv", bins)
    save_figure(REPORTS / "losses.png", charts.losses(loss, bins, test.images[hardest], captions))


def draw_reconstructions(model: VAE, test: Split, z_mean: NDArray[np.float32], loss: NDArray[np.float64]) -> None:
    """Draw each class's best, median and worst image, with their reconstructions."""
    shown = examples.extremes_of_each_class(loss, test.known_labels)
    classes = test.class_names[test.known_labels[shown[0]]]
    figure = grids.reconstructions(
        test.images[shown], decode(model, z_mean[shown]), loss[shown], classes, float(loss.mean())
    )
    save_figure(REPORTS / "reconstructions.png", figure)


def draw_dimensions(model: VAE, table: pd.DataFrame) -> None:
    """Draw the KL of each latent dimension, and how the dimensions of largest KL change an image."""
    write_csv(REPORTS / "kl_per_dimension.csv", table)
    save_figure(REPORTS / "kl_per_dimension.png", charts.kl_per_dimension(table))

    z = latent_walks.traversals(model.latent_dim, table.dimension[:TRAVERSED].tolist(), TRAVERSAL_VALUES)
    save_figure(REPORTS / "traversals.png", grids.traversals(decode(model, z), TRAVERSAL_VALUES, table))

    first, values = table.dimension[:2].tolist(), latent_walks.gaussian_quantiles(MANIFOLD_STEPS)
    plane = decode(model, latent_walks.plane(model.latent_dim, first, values))
    save_figure(REPORTS / "manifold.png", grids.manifold(plane, values, first, model.latent_dim))


def draw_interpolations(model: VAE, test: Split, z_mean: NDArray[np.float32]) -> None:
    """Draw the way between the first test images of two classes: 0 to 1, 2 to 3, and so on."""
    present, firsts = np.unique(test.known_labels, return_index=True)
    names, pairs = test.class_names[present], len(present) // 2
    starts, ends = firsts[0 : 2 * pairs : 2], firsts[1 : 2 * pairs : 2]
    between = decode(model, latent_walks.interpolations(z_mean[starts], z_mean[ends], INTERPOLATION_STEPS))
    rows = [f"{start} → {end}" for start, end in zip(names[0::2], names[1::2], strict=False)]
    figure = grids.interpolations(test.images[starts], between, test.images[ends], rows)
    save_figure(REPORTS / "interpolations.png", figure)


def draw_maps(settings: Visualize, seed: int, shown: Split, z_mean: NDArray[np.float32]) -> None:
    """Draw and assess the t-SNE maps of the images and of their latent vectors."""
    images, labels, class_names = shown.images, shown.known_labels, shown.class_names
    places, quality = {}, {}
    for name, points in {"images": images, "latents": z_mean[: len(images)]}.items():
        part = tsne(points, perplexity=settings.perplexity, seed=seed, title=MAPS[name])
        write_csv(REPORTS / f"tsne_{name}.csv", to_table(part, labels, class_names))
        quality[name] = map_quality.assess(points, images, part, labels)
        title = f"{MAPS[name]}: {map_quality.describe(quality[name])}"
        print(title, flush=True)
        places[title] = part
    write_json(REPORTS / "details/visualize.json", {"maps": quality})
    save_figure(REPORTS / "tsne.png", maps(places, labels, class_names), levels=16)


if __name__ == "__main__":
    run_stage(main)
