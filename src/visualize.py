"""Stage `visualize`: the pictures in `reports/`, and as CSV what `dvc plots` draws anew."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae import dimensions, losses, neighbourhoods, paths
from vae.errors import run_stage
from vae.figures import charts, grids
from vae.figures.maps import maps
from vae.figures.style import save_figure
from vae.files import read_csv, write_csv, write_json
from vae.nn.checkpoint import load_checkpoint
from vae.nn.generation import decode
from vae.nn.model import VAE
from vae.settings import Visualize, load_settings
from vae.splits import Split, first_images, load_arrays, load_split
from vae.tsne import to_table, tsne

REPORTS = Path("reports")
MAPS = {"images": "t-SNE of the images", "latents": "t-SNE of their latent vectors"}
BATCH_SIZE = 500
HARDEST = 10
TRAVERSED = 16
TRAVERSAL_VALUES = np.linspace(-3, 3, 13)
INTERPOLATION_STEPS = 11
MANIFOLD_STEPS = 20


def main() -> None:
    settings, seed = load_settings(Visualize)
    model = load_checkpoint(Path("models/vae"))
    test = load_split(Path("data/prepared/test.npz"))
    shape = len(test.images), model.latent_dim
    z_mean, z_log_var = load_arrays(Path("data/embeddings/test.npz"), "z_mean", "z_log_var", shape=shape)
    reconstruction, kl = load_arrays(Path("data/evaluation/test.npz"), "reconstruction", "kl", shape=shape[:1])

    history = read_csv(REPORTS / "history.csv", *charts.HISTORY_COLUMNS)
    save_figure(REPORTS / "training_curves.png", charts.training_curves(history))
    draw_losses(test, reconstruction + kl)
    draw_reconstructions(model, test, z_mean, reconstruction + kl)
    draw_dimensions(model, dimensions.by_kl(z_mean, z_log_var))
    draw_interpolations(model, test, z_mean)
    samples = np.asarray(model.sample(settings.prior_samples, seed))
    save_figure(REPORTS / "prior_samples.png", grids.samples(samples, f"{len(samples)} decoded draws from the prior"))
    draw_maps(settings, seed, model.latent_dim)
    print("drawn: training, losses, reconstructions, latent dimensions, interpolations, samples from the prior, maps")


def draw_losses(test: Split, loss: NDArray[np.float64]) -> None:
    """The histogram of the loss and the hardest images."""
    bins, hardest = losses.histogram(loss), losses.hardest(loss, HARDEST)
    captions = [f"{test.class_names[test.labels[i]]}\n{loss[i]:.1f}" for i in hardest]
    write_csv(REPORTS / "loss_histogram.csv", bins)
    save_figure(REPORTS / "losses.png", charts.losses(loss, bins, test.images[hardest], captions))


def draw_reconstructions(model: VAE, test: Split, z_mean: NDArray[np.float32], loss: NDArray[np.float64]) -> None:
    """Each class's best, median and worst image."""
    shown = losses.extremes_of_each_class(loss, test.labels)
    classes = test.class_names[test.labels[shown[0]]]
    picture = grids.reconstructions(
        test.images[shown], decoded(model, z_mean[shown]), loss[shown], classes, float(loss.mean())
    )
    save_figure(REPORTS / "reconstructions.png", picture)


def draw_dimensions(model: VAE, table: pd.DataFrame) -> None:
    """The KL of each latent dimension, and what the dimensions of largest KL do to an image."""
    write_csv(REPORTS / "kl_per_dimension.csv", table)
    save_figure(REPORTS / "kl_per_dimension.png", charts.kl_per_dimension(table))

    z = paths.traversals(model.latent_dim, table.dimension[:TRAVERSED].tolist(), TRAVERSAL_VALUES)
    save_figure(REPORTS / "traversals.png", grids.traversals(decoded(model, z), TRAVERSAL_VALUES, table))

    first, values = table.dimension[:2].tolist(), paths.gaussian_quantiles(MANIFOLD_STEPS)
    plane = decoded(model, paths.plane(model.latent_dim, first, values))
    save_figure(REPORTS / "manifold.png", grids.manifold(plane, values, first, model.latent_dim))


def draw_interpolations(model: VAE, test: Split, z_mean: NDArray[np.float32]) -> None:
    """From the first test image of a class to that of the next: 0 to 1, 2 to 3, and so on."""
    present, firsts = np.unique(test.labels, return_index=True)
    names, pairs = test.class_names[present], len(present) // 2
    starts, ends = firsts[0 : 2 * pairs : 2], firsts[1 : 2 * pairs : 2]
    between = decoded(model, paths.interpolations(z_mean[starts], z_mean[ends], INTERPOLATION_STEPS))
    rows = [f"{start} → {end}" for start, end in zip(names[0::2], names[1::2], strict=False)]
    picture = grids.interpolations(test.images[starts], between, test.images[ends], rows)
    save_figure(REPORTS / "interpolations.png", picture)


def draw_maps(settings: Visualize, seed: int, latent_dim: int) -> None:
    """The t-SNE maps of the images, those of the test set first, and of their latent vectors; and how good each is."""
    splits: list[Split] = []
    embeddings: list[NDArray[np.float32]] = []
    for name in ("test", "train", "validation"):
        splits.append(load_split(Path(f"data/prepared/{name}.npz")))
        shape = len(splits[-1].images), latent_dim
        embeddings += load_arrays(Path(f"data/embeddings/{name}.npz"), "z_mean", shape=shape)
    images, labels, class_names = first_images(splits, settings.tsne_points)
    z_mean = np.concatenate(embeddings)[: settings.tsne_points]
    places, figures = {}, {}
    for name, points in {"images": images, "latents": z_mean}.items():
        part = tsne(points, perplexity=settings.perplexity, seed=seed, title=MAPS[name])
        write_csv(REPORTS / f"tsne_{name}.csv", to_table(part, labels, class_names))
        figures[name] = neighbourhoods.assess(points, images, part, labels)
        title = f"{MAPS[name]}: {neighbourhoods.describe(figures[name])}"
        print(title, flush=True)
        places[title] = part
    write_json(REPORTS / "maps.json", {"maps": figures})
    save_figure(REPORTS / "tsne.png", maps(places, labels, class_names), levels=16)


def decoded(model: VAE, z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (…, 28, 28, 1) of latent vectors (…, latent_dim)."""
    images = decode(model, z.reshape(-1, z.shape[-1]), BATCH_SIZE)
    return images.reshape(*z.shape[:-1], *images.shape[1:])


if __name__ == "__main__":
    run_stage(main)
