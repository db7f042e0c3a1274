"""How the results of `params.yaml` vary with the seed: `python -m benchmarks.seeds`.

The seed of `params.yaml` runs in the workspace, and each other seed N as an experiment named results-of-seed-N. DVC
reuses what is in its run cache. The seed decides which images are held out, the initial weights, the noise and the
order of the images. The test images and their binarization stay the same, so the spread does not include their chance.
"""

import subprocess
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd

from benchmarks.experiments import DVC, run_experiment
from vae.io.tables import write_csv
from vae.settings.loader import load_settings
from vae.settings.train import Train

SEEDS = (1, 2, 3)
TABLE = Path("reports/seeds.csv")
SAME = {"images", "features", "samples", "seed", "log_images"}
"""Names of numbers that are the same with every seed."""


def flatten(metrics: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the metrics by dotted name, without `SAME` and without the standard errors, which the seeds replace."""
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
    """Run the whole pipeline with that seed and return its metrics."""
    if seed == load_settings(Train)[0]:
        subprocess.run([*DVC, "repro"], check=True)  # noqa: S603
        metrics: dict[str, Any] = dvc.api.metrics_show()
        return metrics
    name = f"results-of-seed-{seed}"
    run_experiment(name, {"seed": seed})
    metrics = dvc.api.metrics_show(rev=name)
    return metrics


def table(metrics: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """Return a row per metric: its name, its value with each seed, their mean and the standard error of the mean."""
    values = pd.DataFrame({f"seed {seed}": flatten(results) for seed, results in metrics.items()})
    mean, error = values.mean(axis=1), values.sem(axis=1)
    return values.assign(mean=mean, standard_error=error).rename_axis("metric").reset_index()


def main() -> None:
    results = table({seed: run(seed) for seed in SEEDS})
    write_csv(TABLE, results)
    print(results.to_string(index=False, float_format="{:.5g}".format))


if __name__ == "__main__":
    main()
