"""How the figures of `params.yaml` vary with the seed: `python -m benchmarks.seeds`.

Each seed but that of `params.yaml`, whose run is in the workspace, is an experiment, named figures-of-seed-N; what
the run cache knows is not computed again. The seed decides which images are held out, the weights, the noise and the
order of the images. The test images and their binarization are the same: their chance is not in the spread.
"""

import subprocess
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd
import yaml

from benchmarks.experiments import DVC, run_experiment
from vae.files import write_csv

SEEDS = (1, 2, 3)
TABLE = Path("reports/seeds.csv")
SAME = {"images", "features", "samples", "seed", "log_images"}
"""Names of figures that are the same with every seed."""


def flatten(metrics: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Figures by dotted name, without those of `SAME` and the standard errors, in whose place those over seeds come."""
    flat: dict[str, float] = {}
    for name, value in metrics.items():
        if name == "standard_error":
            continue
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif name not in SAME:
            flat[prefix + name] = value
    return flat


def run(seed: int) -> dict[str, Any]:
    """The metrics of the whole pipeline with that seed, in a folder of DVC's own."""
    if seed == yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["seed"]:
        subprocess.run([*DVC, "repro"], check=True)  # noqa: S603
        metrics: dict[str, Any] = dvc.api.metrics_show()
        return metrics
    name = f"figures-of-seed-{seed}"
    run_experiment(name, {"seed": seed})
    metrics = dvc.api.metrics_show(rev=name)
    return metrics


def table(metrics: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """A row a figure: its name, its value with each seed, their mean and the standard error of the mean."""
    values = pd.DataFrame({f"seed {seed}": flatten(figures) for seed, figures in metrics.items()})
    mean, error = values.mean(axis=1), values.sem(axis=1)
    return values.assign(mean=mean, standard_error=error).rename_axis("figure").reset_index()


def main() -> None:
    figures = table({seed: run(seed) for seed in SEEDS})
    write_csv(TABLE, figures)
    print(figures.to_string(index=False, float_format="{:.5g}".format))


if __name__ == "__main__":
    main()
