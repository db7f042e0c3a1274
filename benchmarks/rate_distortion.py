"""How the weight of the KL trades rate for distortion: `python -m benchmarks.rate_distortion`.

Alemi et al., "Fixing a Broken ELBO" (2018), https://arxiv.org/abs/1711.00464: the rate R is the KL, the distortion D is
the reconstruction term, and training with weight β minimizes D + β R. Models with equal D + R have equal ELBOs, but use
the latent vectors to different degrees.

Each β and number of latent dimensions is a DVC experiment of the stages `train` and `evaluate`, named for example
rate-distortion-beta-0-25-k-10 for β = 0.25 and K = 10. DVC reuses what it ran before.
"""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from itertools import product
from pathlib import Path

import dvc.api
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.experiments import ON_MNIST, details, run_experiment
from vae.history import kept_epoch
from vae.io.tables import write_csv
from vae.plots.style import COLORS, SMALL, new_figure, save_figure
from vae.stage import run_stage

TABLE, PICTURE = Path("reports/rate_distortion.csv"), Path("docs/pictures/rate_distortion.png")
LATENT_DIMS, BETAS = (2, 10, 40), (0.25, 0.5, 1.0, 2.0, 4.0)
SETTINGS: dict[str, object] = {
    **ON_MNIST,
    "model.likelihood": "binarized",
    "train.epochs": 4,
    "train.precision": "mixed_bfloat16",
    "evaluate.samples": 8,
}
"""What all experiments change in `params.yaml`. Four epochs each let the study end within an hour on two cores."""


def measure(latent_dim: int, beta: float) -> dict[str, float]:
    """Train with that weight of the KL and so many latent dimensions, and return a row of the table."""
    name = f"rate-distortion-beta-{beta:g}-k-{latent_dim}".replace(".", "-")
    run_experiment(name, SETTINGS | {"model.latent_dim": latent_dim, "train.beta": beta}, targets=["evaluate"])
    with dvc.api.open("reports/history.csv", rev=name) as file:
        epoch = kept_epoch(pd.read_csv(file)).epoch
    results = details("evaluate", name)
    bounds, posterior = results["binarized"], results["posterior"]
    return {
        "latent_dim": latent_dim,
        "beta": beta,
        "rate": bounds["kl"],
        "distortion": bounds["reconstruction"],
        "neg_elbo": bounds["loss"],
        "standard_error": bounds["standard_error"]["loss"],
        "nll": bounds["importance_weighted"],
        "active_units": posterior["active_units"],
        "kept_epoch": epoch,
    }


def draw(table: pd.DataFrame) -> Figure:
    """Draw a curve for each number of latent dimensions, with a point for each β, over lines of equal −ELBO.

    Args:
        table: rows as `measure` returns them.
    """
    figure = new_figure(8, 6, "Rate and distortion: what the weight β of the KL trades")
    axes = figure.subplots()
    margin, labels = 8.0, 14.0  # on the right there is room for the labels of the lines, too
    left, right = max(0.0, table.rate.min() - margin), table.rate.max() + margin + labels
    bottom, top = table.distortion.min() - margin, table.distortion.max() + margin
    rate = np.array([left, right])
    for total in range(int(np.ceil(table.neg_elbo.min() / 10)) * 10, int(table.neg_elbo.max()) + 20, 20):
        axes.plot(rate, total - rate, ":", color="grey", linewidth=1)
        end = (right, total - right) if total - right > bottom else (total - bottom, bottom)
        if end[1] < top:
            axes.annotate(
                f"−ELBO {total}",
                end,
                (-4, 4),
                textcoords="offset points",
                ha="right",
                fontsize=SMALL,
                color="dimgrey",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
    colors = (COLORS[6], COLORS[0], COLORS[3])
    for curve, ((latent_dim, group), color) in enumerate(zip(table.groupby("latent_dim"), colors, strict=False)):
        axes.plot(group.rate, group.distortion, "o-", color=color, label=f"K = {latent_dim}")
        for number, row in enumerate(group.itertuples()):
            above = number % 2 == curve % 2  # by turns, since points and curves may be close
            axes.annotate(
                f"{row.beta:g}",
                (row.rate, row.distortion),
                (0, 6 if above else -6),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
                fontsize=SMALL,
                color=color,
            )
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set(xlabel="rate: KL, nats per image", ylabel="distortion: reconstruction, nats per image")
    axes.legend(title="a point for each β", frameon=False)
    return figure


def main() -> None:
    table = pd.DataFrame([measure(latent_dim, beta) for latent_dim, beta in product(LATENT_DIMS, BETAS)])
    write_csv(TABLE, table)
    save_figure(PICTURE, draw(table))
    print(table.to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    run_stage(main)
