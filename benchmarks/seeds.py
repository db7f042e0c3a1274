"""How the results of `params.yaml` vary with the seed: `python -m benchmarks.seeds`.

The seed of `params.yaml` runs in the workspace, and each other seed N as an experiment named results-of-seed-N. DVC
reuses what is in its run cache. The seed decides which images are held out, the initial weights, the noise and the
order of the images. The test images and their binarization stay the same, so the spread does not include their chance.
"""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.experiments import DVC, details, run_command, run_experiment
from vae.io.tables import write_csv
from vae.settings.loader import load_settings
from vae.settings.train import Train
from vae.stage import run_stage

SEEDS = (1, 2, 3)
STAGES = ("evaluate", "embed", "visualize", "baseline", "classify", "score")
TABLE = Path("reports/seeds.csv")
SAME = {"images", "features", "samples", "seed", "log_images"}
"""Names of numbers that are the same with every seed."""


def flatten(results: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the results by dotted name, without `SAME` and without the standard errors, which the seeds replace."""
    flat: dict[str, float] = {}
    for name, value in results.items():
        if name == "standard_error":
            continue
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif name not in SAME:
            flat[prefix + name] = value
    return flat


def run(seed: int) -> dict[str, Any]:
    """Run the whole pipeline with that seed and return the results of all stages."""
    if seed == load_settings(Train)[0]:
        run_command([*DVC, "repro"])
        return all_results()
    name = f"results-of-seed-{seed}"
    run_experiment(name, {"seed": seed})
    return all_results(name)


def all_results(revision: str | None = None) -> dict[str, Any]:
    """Return the results of all stages, at a revision or in the workspace; no two stages have results of one name."""
    return {name: value for stage in STAGES for name, value in details(stage, revision).items()}


def table(results: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """Return a row per result: its name, its value with each seed, their mean and the standard error of the mean."""
    values = pd.DataFrame({f"seed {seed}": flatten(one) for seed, one in results.items()})
    mean, error = values.mean(axis=1), values.sem(axis=1)
    return values.assign(mean=mean, standard_error=error).rename_axis("metric").reset_index()


def main() -> None:
    results = table({seed: run(seed) for seed in SEEDS})
    write_csv(TABLE, results)
    print(results.to_string(index=False, float_format="{:.5g}".format))


if __name__ == "__main__":
    run_stage(main)
