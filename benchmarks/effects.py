"""What a change of settings does to the loss: `python -m benchmarks.effects`.

What the post does otherwise, and Adam in the place of Muon, each against `params.yaml` as it is. Each change is an
experiment of the stages `train` and `evaluate`, with the seed of `params.yaml` alone; `benchmarks.seeds` tells
how much a figure varies with that.
"""

from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd

from benchmarks.experiments import run_experiment
from vae.files import write_csv

TABLE = Path("reports/effects.csv")
CHANGES: dict[str, dict[str, object]] = {
    "none": {},
    "post-noise": {"train.epsilon_std": 1e-4},
    "post-dropout": {"train.dropout": 0.5},
    "post-optimization": {
        **{"train.optimizer": "adam", "train.learning_rate": 0.001, "train.schedule": "constant"},
        "train.batch_size": 128,
    },
    "adam": {"train.optimizer": "adam", "train.learning_rate": 0.002},
}
"""By name, what differs from `params.yaml`."""


def figures(revision: str) -> dict[str, Any]:
    """The lowest validation loss, with the noise of the training, and the test loss in its terms, in nats."""
    with dvc.api.open("reports/history.csv", rev=revision) as file:
        validation = pd.read_csv(file).val_loss.min()
    grey = dvc.api.metrics_show("reports/metrics.json", rev=revision)["grey"]
    return {"validation": validation, **{name: grey[name] for name in ("loss", "reconstruction", "kl")}}


def main() -> None:
    rows = []
    for change, settings in CHANGES.items():
        name = f"effect-of-{change}"
        run_experiment(name, settings, targets=["evaluate"])
        shown = " ".join(f"{key}={value}" for key, value in settings.items())
        rows.append({"change": change, "settings": shown, **figures(name)})
    table = pd.DataFrame(rows)
    write_csv(TABLE, table)
    print(table.to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
