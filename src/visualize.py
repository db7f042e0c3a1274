"""Stage `visualize`: draw the figures in `reports/` and write the CSV files that `dvc plots` draws."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.data.splits import Split, first_images, load_splits, missing_classes
from vae.evaluation import latent_dimensions, map_quality
from vae.evaluation.embedding import seen_by
from vae.evaluation.generation import decode
from vae.evaluation.latent_moments import Moments
from vae.evaluation.map_quality import MapQuality
from vae.history import kept_epoch
from vae.io.arrays import load_arrays
from vae.io.tables import read_csv, write_csv, write_json
from vae.model.checkpoint import load_model
from vae.model.priors.standard import StandardNormal
from vae.model.vae import VAE
from vae.plots import charts, examples, grids, latent_walks, names
from vae.plots.maps import maps
from vae.plots.mosaic import grey_colors
from vae.plots.style import nats, save_figure
from vae.plots.tsne import fitting_perplexity, fitting_points, to_table, tsne
from vae.settings.loader import load_settings
from vae.settings.visualize import Visualize
from vae.stage import run_stage

REPORTS = Path("reports")
ORDER = ("test", "train", "validation")  # of the images in the maps
MAPS = {"images": "t-SNE of the images", "latents": "t-SNE of their latent vectors"}
TRAVERSED = 16
TRAVERSAL_VALUES = np.linspace(-3, 3, 13)
INTERPOLATION_STEPS = 11
COLUMNS, PAIRS = 12, 5
CLASSES, STYLES = 20, 20  # rows and columns of a conditional model's samples
SHOWN_CLASS = 0  # of a conditional model's walks through the latent space


def main() -> None:
    seed, settings = load_settings(Visualize)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    splits = load_splits(Path("data/prepared"), ORDER, image_shape=model.image_shape)
    splits = [seen_by(model, split) for split in splits]
    images = sum(len(split.images) for split in splits)
    shown = first_images(splits, fitting_points(settings.tsne_points, images, model.image_shape))
    perplexity = fitting_perplexity(settings.perplexity, len(shown.images))
    means: list[NDArray[np.float32]] = []
    for name, split in zip(ORDER, splits, strict=True):
        shape = len(split.images), model.latent_dim
        means += load_arrays(Path(f"data/embeddings/{name}.npz"), "z_mean", shape=shape)
    test, z_mean = splits[0], means[0]
    (z_log_var,) = load_arrays(Path("data/embeddings/test.npz"), "z_log_var", shape=z_mean.shape)
    reconstruction, kl = load_arrays(Path("data/evaluation/test.npz"), "reconstruction", "kl", shape=z_mean.shape[:1])
    history = read_csv(REPORTS / "history.csv", *charts.HISTORY_COLUMNS)
    # The default likelihood has the short unit; the units of the others say how they differ from it.
    unit = charts.UNIT if model.get_config()["likelihood"] == "bernoulli" else model.likelihood.unit
    if isinstance(model.prior, StandardNormal):
        moments = Moments.of_standard_prior(model.latent_dim)
    else:  # the aggregate posterior may be far from N(0, I)
        moments = Moments.of_aggregate_posterior(z_mean, z_log_var)

    grey = grey_colors(test.images)
    save_figure(
        REPORTS / "training_curves.png",
        charts.training_curves(history, kept_epoch(history), model.objective.loss_name, unit),
    )
    draw_losses(test, reconstruction + kl, grey, unit)
    draw_reconstructions(model, test, z_mean, reconstruction + kl, grey)
    draw_dimensions(model, latent_dimensions.by_kl(z_mean, z_log_var, moments), moments, grey)
    draw_interpolations(model, test, z_mean, grey)
    draw_samples(model, settings.prior_samples, seed, grey)
    if perplexity < settings.perplexity:
        points = f"{len(shown.images)} points allow at most {perplexity:.6g}, so the maps use that"
        print(f"visualize.perplexity is {settings.perplexity:g}, but {points}.", flush=True)
    draw_maps(perplexity, seed, shown, np.concatenate(means))
    print(f"wrote the figures and tables in {REPORTS}/")


def draw_losses(test: Split, loss: NDArray[np.float64], grey: str, unit: str) -> None:
    """Draw the histogram of the loss with the images of largest loss."""
    bins, hardest = charts.loss_histogram(loss), examples.hardest(loss, charts.GALLERY)
    captions, title = [nats(loss[i], 1) for i in hardest], "The largest losses, in nats"
    if test.labels is not None:
        classes, title = names.labels(test.class_names, 10, lines=2), "The largest losses: class, and loss in nats"
        captions = [f"{classes[test.labels[i]]}\n{below}" for i, below in zip(hardest, captions, strict=True)]
    write_csv(REPORTS / "loss_histogram.csv", bins)
    save_figure(REPORTS / "losses.png", charts.losses(loss, bins, test.images[hardest], captions, title, grey, unit))


def draw_reconstructions(
    model: VAE, test: Split, z_mean: NDArray[np.float32], loss: NDArray[np.float64], grey: str
) -> None:
    """Draw the best, median and worst images of each class, or of all images, with their reconstructions."""
    shown, classes, whose = examples.extremes(loss, COLUMNS), [], "test images"
    if test.labels is not None and not missing_classes(test):
        shown = examples.extremes_of_each_class(loss, test.labels, COLUMNS)
        texts, whole = names.labels(test.class_names, 10, lines=3), len(test.class_names)
        classes = [texts[label] for label in test.labels[shown[0]]]
        whose = f"test image of {'each class' if len(classes) == whole else f'{len(classes)} of {whole:,} classes'}"
    decoded = decode(model, z_mean[shown], labels=test.known_labels[shown] if model.conditional else None)
    figure = grids.reconstructions(test.images[shown], decoded, loss[shown], classes, float(loss.mean()), whose, grey)
    save_figure(REPORTS / "reconstructions.png", figure)


def draw_dimensions(model: VAE, table: pd.DataFrame, moments: Moments, grey: str) -> None:
    """Draw the KL of each latent dimension, and how the dimensions of largest KL change an image."""
    write_csv(REPORTS / "kl_per_dimension.csv", table)
    save_figure(REPORTS / "kl_per_dimension.png", charts.kl_per_dimension(table, moments.is_prior))

    label, of_class = (SHOWN_CLASS, class_texts(model)[SHOWN_CLASS]) if model.conditional else (None, "")
    z = latent_walks.traversals(model.latent_dim, table.dimension[:TRAVERSED].tolist(), TRAVERSAL_VALUES)
    decoded = decode(model, moments.to_latents(z), labels=label)
    figure = grids.traversals(decoded, TRAVERSAL_VALUES, table, grey, moments.is_prior, of_class)
    save_figure(REPORTS / "traversals.png", figure)

    values = latent_walks.gaussian_quantiles(grids.manifold_steps(model.image_shape))
    first = table.dimension[:2].tolist()
    plane = decode(model, moments.to_latents(latent_walks.plane(model.latent_dim, first, values)), labels=label)
    save_figure(REPORTS / "manifold.png", grids.manifold(plane, values, first, moments, grey, of_class))


def draw_interpolations(model: VAE, test: Split, z_mean: NDArray[np.float32], grey: str) -> None:
    """Draw the way between the first test images of two classes: 0 to 1, 2 to 3, and so on; or of any two images.

    A conditional model decodes one class in a row: the ends are then the first two test images of a class.
    """
    pairs, of = examples.pairs(len(test.images), PAIRS), "test images"
    texts = [str(i) for i in range(len(test.images))]
    if test.labels is not None and (model.conditional or not missing_classes(test)):
        choose = examples.pairs_within_classes if model.conditional else examples.pairs_of_classes
        pairs, of = choose(test.labels, PAIRS), "classes"
        classes = names.labels(test.class_names, 16)
        texts = [classes[label] for label in test.labels]
    starts, ends = pairs.T
    labels = test.known_labels[starts, np.newaxis] if model.conditional else None
    walks = latent_walks.interpolations(z_mean[starts], z_mean[ends], INTERPOLATION_STEPS)
    between = decode(model, walks, labels=labels)
    rows = [texts[start] if model.conditional else f"{texts[start]} → {texts[end]}" for start, end in pairs]
    figure = grids.interpolations(test.images[starts], between, test.images[ends], rows, of, grey)
    save_figure(REPORTS / "interpolations.png", figure)


def draw_samples(model: VAE, count: int, seed: int, grey: str) -> None:
    """Draw decoded draws from the prior; of a conditional model each with several labels, for about as many images."""
    if model.conditional:
        shown = examples.spread(np.arange(len(model.class_names)), CLASSES)
        columns = min(max(1, count // len(shown)), STYLES)
        z = np.broadcast_to(model.prior.sample(columns, seed), (len(shown), columns, model.latent_dim))
        texts, images = class_texts(model), decode(model, z, labels=shown[:, np.newaxis])
        figure = grids.samples_of_classes(images, [texts[label] for label in shown], len(texts), grey)
    else:
        samples = model.sample(count, seed)
        figure = grids.samples(samples, f"{len(samples)} decoded draws from the prior", grey)
    save_figure(REPORTS / "prior_samples.png", figure)


def class_texts(model: VAE) -> list[str]:
    """Return the names of a conditional model's classes as texts of a figure."""
    return names.labels(np.array(model.class_names), 16)


def draw_maps(perplexity: float, seed: int, shown: Split, z_mean: NDArray[np.float32]) -> None:
    """Draw and assess the t-SNE maps of the images and of their latent vectors."""
    images, labels, class_names = shown.images[:], shown.labels, shown.class_names
    places: dict[str, NDArray[np.float64]] = {}
    quality: dict[str, MapQuality] = {}
    for name, points in {"images": images, "latents": z_mean[: len(images)]}.items():
        part = tsne(points, perplexity=perplexity, seed=seed, title=MAPS[name])
        write_csv(REPORTS / f"tsne_{name}.csv", to_table(part, labels, class_names))
        quality[name] = map_quality.assess(points, images, part, labels)
        title = f"{MAPS[name]}: {map_quality.describe(quality[name])}"
        print(title, flush=True)
        places[title] = part
    details: dict[str, Any] = {"maps": quality}
    if reason := missing_classes(shown):
        details["left_out"] = f"The 5-NN accuracy of the maps is left out: {reason}."
        print(details["left_out"], flush=True)
    write_json(REPORTS / "details/visualize.json", details)
    save_figure(REPORTS / "tsne.png", maps(places, labels, class_names), levels=16)


if __name__ == "__main__":
    run_stage(main)
