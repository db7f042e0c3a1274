"""Generate the tables of results in README.md and docs/*.md from the committed reports.

Cog runs these functions inside the documents: `make docs` writes the tables there, and `make lint` checks that they are
up to date. The numbers in `reports/` are the only source.
"""

import csv
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
BAR = "\\|"  # in a cell, where a bare one would end it


def six_results() -> str:
    """Return the README's table: the main results, each with a value to compare it with."""
    step, time = report("benchmark.json")["step"]["float32"], report("benchmark.json")["time_to_quality"]["float32"]
    plain = step["contenders"]["plain Keras, float32"]["median"]
    reached = [seconds for seconds in time["seconds"] if seconds is not None]
    seconds = f"{min(reached):.0f} to {max(reached):.0f} s" if reached else "–"
    return table(
        ("result", "this project", "for comparison"),
        [
            (
                "loss (−ELBO), nats per image",
                over_seeds("grey.loss"),
                f"{float(effect('train.schedule')['loss']):.2f} with the tutorial's optimizer, in as many epochs",
            ),
            (
                f"importance-weighted bound, {samples()}, nats per image",
                over_seeds("grey.importance_weighted"),
                f"no model can be below {mean('grey.entropy'):.2f}",
            ),
            (
                "linear classifier of the latents, accuracy, %",
                over_seeds("latents.logistic_regression.accuracy", 2, 100),
                f"{over_seeds('pixels.logistic_regression.accuracy', 2, 100)} on the pixels",
            ),
            (
                "Fréchet distance of samples",
                over_seeds("frechet.prior", 4),
                f"{over_seeds('frechet.reconstruction', 4)} of reconstructions",
            ),
            (
                f"training step of {step['batch_size']} images",
                f"{step['milliseconds']:.1f} ms",
                f"{plain:.1f} ms with plain Keras layers",
            ),
            (
                "training to the loss at which the tutorial's settings end",
                f"{seconds}, {len(reached)} of {len(time['seconds'])} seeds",
                f"{ending(time, '_seconds'):,.0f} s with the tutorial's settings",
            ),
        ],
    )


def runs() -> str:
    """Return a sentence about the runs behind the means and the standard errors."""
    seeds = [name.removeprefix("seed ") for name in seed_columns()]
    images = details("evaluate")["grey"]["images"]
    return f"The tables are means over the seeds {', '.join(seeds)}, measured on {images:,} test images."


def likelihood() -> str:
    """Return the table of the bounds on the likelihood, in nats per image."""
    names = {
        "loss": "`loss` (−ELBO)",
        "reconstruction": "its `reconstruction` term",
        "kl": "its `kl` term",
        "importance_weighted": f"`importance_weighted`, {samples()}",
    }
    rows = [(text, over_seeds(f"grey.{name}"), over_seeds(f"binarized.{name}")) for name, text in names.items()]
    floor = (f"{mean(f'{protocol}.entropy'):.2f}" for protocol in ("grey", "binarized"))
    return table(("nats per image", "`grey`", "`binarized`"), [*rows, ("`entropy`, the floor", *floor)])


def latent_dimensions() -> str:
    """Return the table of what the latent dimensions carry."""
    units = sorted({float(seeds()["posterior.active_units"][seed]) for seed in seed_columns()})
    return table(
        ("`posterior`", "value", "what it is"),
        [
            ("`active_units`", " or ".join(f"{count:g}" for count in units), f"of {latent_dim()} latent dimensions"),
            ("`mutual_information`", over_seeds("posterior.mutual_information", 3), "estimate of I(x; z), in nats"),
            ("`log_images`", f"{details('evaluate')['posterior']['log_images']:.3f}", "its largest possible value"),
            ("`marginal_kl`", over_seeds("posterior.marginal_kl", 3), "KL(q(z) ‖ p(z)), at most"),
            ("`moment_kl`", over_seeds("posterior.moment_kl", 3), "KL(q(z) ‖ p(z)), at least"),
        ],
    )


def probes() -> str:
    """Return the table of what the latents, the pixels and the principal components say about the classes."""
    kinds = {
        "latents": f"latent means ({latent_dim()})",
        "pixels": "pixels",
        "principal_components": f"principal components ({params()['baseline']['principal_components']})",
    }
    results = {
        "`logistic_regression`, accuracy, %": ("logistic_regression.accuracy", 2, 100),
        "`knn` (5 neighbours), accuracy, %": ("knn.accuracy", 2, 100),
        "K-means, `nmi`": ("nmi.mean", 3, 1),
        "K-means, `ari`": ("ari.mean", 3, 1),
    }
    return table(
        ("", *kinds.values()),
        [
            (text, *(over_seeds(f"{kind}.{name}", decimals, factor) for kind in kinds))
            for text, (name, decimals, factor) in results.items()
        ],
    )


def maps() -> str:
    """Return the table of the quality of the two t-SNE maps."""
    trust = "trustworthiness"
    results = {
        "`knn`: 5-NN accuracy in the plane, %": ("knn.accuracy", 2, 100),
        f"`{trust}.input`, 15 neighbours": (f"{trust}.input.value", 4, 1),
        f"`{trust}.pixels`, 15 neighbours": (f"{trust}.pixels.value", 4, 1),
    }
    return table(
        ("", "t-SNE of the images", "t-SNE of their latents"),
        [
            (text, *(over_seeds(f"maps.{kind}.{name}", decimals, factor) for kind in ("images", "latents")))
            for text, (name, decimals, factor) in results.items()
        ],
    )


def pixels_against_latents() -> str:
    """Return a sentence that says how often the pixels have the better neighbours, and what follows for the maps."""

    def better(pixels: str, latents: str) -> int:
        return sum(float(seeds()[pixels][seed]) > float(seeds()[latents][seed]) for seed in seed_columns())

    total = len(seed_columns())
    in_maps = better("maps.images.knn.accuracy", "maps.latents.knn.accuracy")
    before = better("pixels.knn.accuracy", "latents.knn.accuracy")
    verdict = " So the maps do not support the tutorial's claim." if in_maps == total else ""
    return (
        f"The pixels have the higher 5-NN accuracy with {in_maps} of {total} seeds in the maps, "
        f"and with {before} before them.{verdict}"
    )


def frechet() -> str:
    """Return the table of the Fréchet distances."""
    components = params()["score"]["mixture_components"]
    kinds = {
        "prior": "decoded samples of the prior N(0, I)",
        "mixture": f"decoded samples of {components} Gaussians, fitted to draws of q(z|x) of the training images",
        "reconstruction": "test images, reconstructed at the mean of q(z|x): the best that the decoder can do",
        "train": "training images: close to the lowest possible value, though the classifier was trained on them",
    }
    rows = [(f"`{kind}`", over_seeds(f"frechet.{kind}", 4), text) for kind, text in kinds.items()]
    return table(("`frechet`", "distance", "between the test images and"), rows)


def classifier() -> str:
    """Return a sentence about the classifier whose features the Fréchet distance uses."""
    features, accuracy = details("score")["features"], over_seeds("classifier.accuracy", 2, 100)
    return f"The classifier has {features} features, and its accuracy on the test images is {accuracy}%."


def effects() -> str:
    """Return the table of what changes of `params.yaml` do to the loss."""
    columns = {
        "validation": "validation loss, own noise",
        "loss": "test loss",
        "reconstruction": "reconstruction",
        "kl": "KL",
    }
    rows = [
        (
            row["change"],
            "<br>".join(f"`{setting}`" for setting in row["settings"].split()),
            *(f"{float(row[column]):.2f}" for column in columns),
        )
        for row in csv_rows("effects.csv")
    ]
    return table(("change", "settings", *columns.values()), rows)


def seed_spread() -> str:
    """Return a sentence about how much the test loss varies with the seed."""
    losses = [float(seeds()["grey.loss"][seed]) for seed in seed_columns()]
    return (
        f"The test loss of the unchanged settings has a standard deviation of {statistics.stdev(losses):.2f} nats over "
        f"{len(losses)} seeds."
    )


def over_seeds(name: str, decimals: int = 2, factor: float = 1) -> str:
    """Return the mean of a result over the seeds, and the standard error of the mean, as text.

    Args:
        name: the dotted name of the result in `reports/seeds.csv`.
        decimals: digits after the point.
        factor: what both are multiplied by: 100 for per cent.
    """
    error = factor * float(seeds()[name]["standard_error"])
    return f"{factor * mean(name):.{decimals}f} ± {error:.{decimals}f}"


def mean(name: str) -> float:
    """Return the mean of a result over the seeds."""
    return float(seeds()[name]["mean"])


def seeds() -> dict[str, dict[str, str]]:
    """Return the rows of `reports/seeds.csv` by the name of the result, which is their first column."""
    return {next(iter(row.values())): row for row in csv_rows("seeds.csv")}


def seed_columns() -> list[str]:
    """Return the columns of `reports/seeds.csv` that hold the result of one seed."""
    return [name for name in csv_rows("seeds.csv")[0] if name.startswith("seed ")]


def effect(key: str) -> dict[str, str]:
    """Return the row of `reports/effects.csv` whose change sets this key of `params.yaml`."""
    return next(row for row in csv_rows("effects.csv") if f"{key}=" in row["settings"])


def samples() -> str:
    """Return the number of samples of the importance-weighted bound, as text."""
    return f"k = {details('evaluate')['grey']['samples']}"


def latent_dim() -> int:
    """Return the number of latent dimensions."""
    return int(params()["model"]["latent_dim"])


def ending(results: dict[str, Any], suffix: str) -> Any:
    """Return the value whose key ends like this: the results of the tutorial's settings have a prefix."""
    return next(value for key, value in results.items() if key.endswith(suffix))


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', BAR) for cell in line)} |" for line in lines)


def params() -> dict[str, Any]:
    """Return the contents of `params.yaml`."""
    content: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")
    return content


def details(stage: str) -> dict[str, Any]:
    """Return all results of a stage in the committed run."""
    return report(f"details/{stage}.json")


def report(name: str) -> dict[str, Any]:
    """Return the contents of a JSON file in `reports/`."""
    content: dict[str, Any] = json.loads((ROOT / "reports" / name).read_text(encoding="utf-8"))
    return content


def csv_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file in `reports/`."""
    with (ROOT / "reports" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
