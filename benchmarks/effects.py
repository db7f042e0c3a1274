"""What a change of settings does to the loss: `python -m benchmarks.effects`.

The changes are what the tutorial does differently, and Adam instead of Muon. Each is an experiment of the stages
`train` and `evaluate`, to compare with `params.yaml` as it is. It uses the seed of `params.yaml` only;
`benchmarks.seeds` measures how much a result varies with the seed.
"""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd

from benchmarks.experiments import details, run_experiment
from vae.io.tables import write_csv
from vae.stage import run_stage

TABLE = Path("reports/effects.csv")
CHANGES: dict[str, dict[str, object]] = {
    "none": {},
    "tutorial-noise": {"train.epsilon_std": 1e-4},
    "tutorial-dropout": {"model.dropout": 0.5},
    "tutorial-optimization": {
        **{"train.optimizer": "adam", "train.learning_rate": 0.001, "train.schedule": "constant"},
        "train.batch_size": 128,
    },
    "adam": {"train.optimizer": "adam", "train.learning_rate": 0.002},
}
"""The settings that differ from `params.yaml`, by name."""


def losses(revision: str) -> dict[str, Any]:
    """Return the lowest validation loss, with the noise of training, and the test loss with its terms, in nats."""
    with dvc.api.open("reports/history.csv", rev=revision) as file:
        validation = pd.read_csv(file).val_loss.min()
    grey = details("evaluate", revision)["grey"]
    return {"validation": validation, **{name: grey[name] for name in ("loss", "reconstruction", "kl")}}


def main() -> None:
    rows = []
    for change, settings in CHANGES.items():
        name = f"effect-of-{change}"
        run_experiment(name, settings, targets=["evaluate"])
        shown = " ".join(f"{key}={value}" for key, value in settings.items())
        rows.append({"change": change, "settings": shown, **losses(name)})
    table = pd.DataFrame(rows)
    write_csv(TABLE, table)
    print(table.to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    run_stage(main)
