"""Generate the tables of docs/literature.md: `reports/literature.csv` next to the published results."""

import math
import statistics
from collections.abc import Iterable, Sequence

import pandas as pd

from docs.tables import ROOT, table

TNBBETA = (
    "[Dant86/tnbbeta_vae, 23 September 2026](https://github.com/Dant86/tnbbeta_vae/blob/"
    "0c78b1a4c1ea689055886b5b16909e006bcf7b76/writeup/results/mnist_table1_full_2026-09-23.md)"
)
NBIP = "[nbip/IWAE](https://github.com/nbip/IWAE)"
XU = "[Xu et al. (2019)](https://arxiv.org/abs/1905.13452), as others quote it"
PUBLISHED: Sequence[tuple[str, str, str, str]] = (
    (
        "Gaussian VAE, convolutions, K = 10, at most 1,000 epochs, 5 seeds",
        "92.91 ± 0.14",
        "88.75 ± 0.12 (500)",
        TNBBETA,
    ),
    (
        "the same, K = 20",
        "87.64 ± 0.11",
        "83.67 ± 0.09 (500)",
        TNBBETA,
    ),
    (
        "the same, K = 40",
        "87.40 ± 0.07",
        "83.24 ± 0.05 (500)",
        TNBBETA,
    ),
    (
        "VAE, two layers of 200 units, K = 50",
        "–",
        "86.76 (5,000)",
        "[Burda et al. (2016)](https://arxiv.org/abs/1509.00519), their code [yburda/iwae](https://github.com/yburda/iwae)",
    ),
    (
        "IWAE with 50 samples, the same layers",
        "–",
        "84.78 (5,000)",
        "[Burda et al. (2016)](https://arxiv.org/abs/1509.00519), their code [yburda/iwae](https://github.com/yburda/iwae)",
    ),
    ("the same VAE, by others", "–", "86.35 (5,000)", NBIP),
    ("the same IWAE, by others", "–", "84.59 (5,000)", NBIP),
    ("the same IWAE with DReG's gradient", "–", "84.32 (5,000)", NBIP),
    ("convolutional VAE with a RealNVP prior, K = 40", "–", "78.61 (1,000)", XU),
    ("residual VAE with a RealNVP prior, K = 40", "80.34", "78.49 (1,000)", XU),
)
"""Model, −ELBO, negative log-likelihood with the samples of its estimate, source. All of dynamic binarization."""


def runs() -> pd.DataFrame:
    """Return the committed table of runs."""
    return pd.read_csv(ROOT / "reports/literature.csv")


def dynamic() -> str:
    """Return our results and the published ones for dynamically binarized MNIST, in nats per image."""
    ours = _ours("dynamic binarization")
    published = [(f"*{model}*", "", "", elbo, nll, source) for model, elbo, nll, source in PUBLISHED]
    return table(("model", "epochs", "minutes", "−ELBO", "NLL (k)", "source"), [*ours, *published])


def grey() -> str:
    """Return our results for grey levels as Bernoulli targets, and for the same model on binarized test images."""
    protocols = ("grey levels", "grey levels, tested on binarized images")
    rows = [(protocol, *row[1:]) for protocol in protocols for row in _ours(protocol)]
    return table(("protocol", "epochs", "minutes", "−ELBO", "NLL (k)", "source"), rows)


def total() -> str:
    """Return a sentence on the time of all trainings whose time is known."""
    minutes = runs().drop_duplicates(["preset", "seed"]).minutes
    unknown = int(minutes.isna().sum())
    others = f", without {unknown} whose time is not known" if unknown else ""
    return f"The {len(minutes) - unknown} trainings took {minutes.sum():.0f} minutes in all{others}."


def _ours(protocol: str) -> Iterable[tuple[str, ...]]:
    """Return a row for each preset: its link, epochs, minutes, bounds, and how many seeds they are averages over."""
    found = runs().query("protocol == @protocol")
    for preset, group in found.groupby("preset", sort=False):
        seeds = len(group)
        yield (
            f"[`{preset}`](../params/{preset}.yaml)",
            f"{group.epochs.median():.0f}",
            "–" if group.minutes.isna().all() else f"{group.minutes.median():.0f}",
            _over_seeds(group.neg_elbo.tolist()),
            f"{_over_seeds(group.nll.tolist())} ({group.nll_samples.iloc[0]:,})",
            f"this project, {seeds} {'seed' if seeds == 1 else 'seeds'}",
        )


def _over_seeds(values: list[float]) -> str:
    """Return the mean and, for several values, the standard error of the mean."""
    mean = f"{statistics.fmean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values) / math.sqrt(len(values)):.2f}"


def rate_distortion() -> str:
    """Return the table of the study of rate and distortion, in nats per image."""
    found = pd.read_csv(ROOT / "reports/rate_distortion.csv")
    return table(
        ("K", "β", "rate (KL)", "distortion", "−ELBO", "NLL (k = 8)", "active dimensions"),
        [
            (
                *(f"{row.latent_dim}", f"{row.beta:g}", f"{row.rate:.2f}", f"{row.distortion:.2f}"),
                *(f"{row.neg_elbo:.2f} ± {row.standard_error:.2f}", f"{row.nll:.2f}", f"{row.active_units:.0f}"),
            )
            for row in found.itertuples()
        ],
    )
