"""Train the presets that are compared with published results: `python -m benchmarks.literature [PRESET ...]`.

Each preset and seed is a DVC experiment of the stages `train` and `evaluate`, named literature-PRESET-seed-SEED. After
each, its rows in `reports/literature.csv` are replaced. If the command is interrupted, start it again: DVC reuses what
is finished, and a training or an evaluation resumes.

docs/literature.md says how the settings were chosen.
"""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

import argparse
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd

from benchmarks.experiments import ON_MNIST, details, run_experiment
from benchmarks.presets import read_preset
from vae.errors import InputError
from vae.io.tables import write_csv
from vae.model.vae import VAE
from vae.stage import run_stage

MNIST, CLASSES = (28, 28, 1), [str(digit) for digit in range(10)]
TABLE = Path("reports/literature.csv")
SEEDS: Mapping[str, Sequence[int]] = {
    "tutorial_grey": (11, 12, 13),
    "binarized_k10": (12, 13, 14),
    "binarized_k20": (11, 12, 13),
    "binarized_k40": (11, 12, 13),
    "mlp_elbo": (11, 12, 13),
    "mlp_iwae": (12,),
    "vampprior": (11,),
    "flow": (11,),
    "resnet": (12,),
    "resnet_flow": (13,),
}
"""The presets and their seeds: three where a training takes less than ten minutes on two cores, otherwise one.

The seeds start at 11. A preset with a later first seed was changed after it had been tested with the earlier ones.
"""
PROTOCOLS = {
    ("grey", False): "grey levels",
    ("binarized", False): "grey levels, tested on binarized images",
    ("binarized", True): "dynamic binarization",
}
"""The name of a protocol, by its name in the stage `evaluate` and by whether the training was on binarized images."""
KEYS = ["preset", "protocol", "seed"]
COLUMNS = [
    *("preset", "protocol", "architecture", "prior", "likelihood", "objective", "latent_dim", "seed", "parameters"),
    *("epochs", "minutes", "neg_elbo", "nll", "nll_samples", "standard_error"),
]
MINUTES = re.compile(r"^trained \d+ epochs in ([\d.]+) minutes$", re.MULTILINE)


def run(preset: str, seed: int) -> pd.DataFrame:
    """Train and evaluate a preset with a seed, and return its rows: one for each protocol.

    The minutes are the time of the training. They are missing if DVC reused an earlier training.
    """
    name = f"literature-{preset.replace('_', '-')}-seed-{seed}"
    settings = {"seed": seed, **ON_MNIST, **read_preset(preset)}
    trained = MINUTES.search(run_experiment(name, settings, targets=["evaluate"]))
    params = dvc.api.params_show(rev=name)
    with dvc.api.open("reports/history.csv", rev=name) as file:
        epochs = len(pd.read_csv(file))
    return rows(
        {"preset": preset, "seed": seed, "epochs": epochs, "minutes": float(trained[1]) if trained else None},
        params,
        details("evaluate", name),
    )


def rows(run: dict[str, Any], params: dict[str, Any], results: dict[str, Any]) -> pd.DataFrame:
    """Return the rows of a run, one for each protocol.

    Args:
        run: the columns that identify the run and say how it went.
        params: the parameters of the run.
        results: the contents of `reports/details/evaluate.json`.
    """
    model = params["model"]
    of_all = {
        **{name: model[name] for name in ("architecture", "prior", "likelihood", "latent_dim")},
        "objective": objective(params["train"]),
        "parameters": VAE(MNIST, **model, class_names=CLASSES).count_params(),
        **run,
    }
    found = []
    for protocol in [name for name in ("grey", "binarized") if name in results]:
        bounds = results[protocol]
        found.append(
            {
                **of_all,
                "protocol": PROTOCOLS[protocol, model["likelihood"] == "binarized"],
                "neg_elbo": bounds["loss"],
                "nll": bounds["importance_weighted"],
                "nll_samples": bounds["samples"],
                "standard_error": bounds["standard_error"]["importance_weighted"],
            }
        )
    return pd.DataFrame(found, columns=COLUMNS)


def objective(train: dict[str, Any]) -> str:
    """Return the objective with what is set of its parameters, for example `iwae, samples 50`."""
    shown = [
        f"{name} {train[name]}"
        for name, default in (("samples", 1), ("beta", 1.0), ("beta_warmup", 0), ("free_bits", 0.0))
        if train[name] != default
    ]
    return ", ".join([train["objective"], *shown])


def merged(table: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the new rows instead of the old rows of the same run, in the order of `SEEDS`.

    If the minutes are missing in a new row, they are copied from the old row, provided that the epochs agree.
    """
    new = new.set_index(KEYS)
    old = table.set_index(KEYS) if len(table) else new.iloc[:0]
    known = old.reindex(new.index)
    kept = known.minutes.where(known.epochs == new.epochs)
    new = new.assign(minutes=new.minutes.astype(float).fillna(kept.astype(float)))
    together = pd.concat([part for part in (old.drop(new.index, errors="ignore"), new) if len(part)]).reset_index()
    current = [seed in SEEDS.get(preset, ()) for preset, seed in zip(together.preset, together.seed, strict=True)]
    together = together[current]  # without presets and seeds that no longer exist
    order = together.preset.map([*SEEDS].index)
    return together.assign(order=order).sort_values(["order", "protocol", "seed"])[COLUMNS].reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.literature", description="Train the presets.")
    parser.add_argument("presets", nargs="*", help=f"some of {', '.join(SEEDS)}; all of them by default")
    presets = parser.parse_args().presets or [*SEEDS]
    if unknown := [preset for preset in presets if preset not in SEEDS]:
        raise InputError(f"there is no preset {unknown[0]!r}; there are: {', '.join(SEEDS)}.")
    started = time.monotonic()
    for preset in presets:
        for seed in SEEDS[preset]:
            run_started = time.monotonic()
            new = run(preset, seed)
            table = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=COLUMNS)
            write_csv(TABLE, merged(table, new))
            print(new.to_string(index=False, float_format="{:.2f}".format))
            reused = ", as DVC reused an earlier training" if new.minutes.isna().all() else ""
            print(
                f"{preset} with seed {seed} took {_minutes_since(run_started)} with its evaluation{reused}", flush=True
            )
    print(f"everything took {_minutes_since(started)}")


def _minutes_since(start: float) -> str:
    return f"{(time.monotonic() - start) / 60:.1f} minutes"


if __name__ == "__main__":
    run_stage(main)
