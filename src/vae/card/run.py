"""The run behind a model, as DVC recorded it: its parameters and its results.

`dvc.lock` has the checksums and the parameters of each stage. They prove that the results are the model's own, also
after `params.yaml` was edited.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from vae.errors import InputError

LOCK, PINS, MODEL, HISTORY = "dvc.lock", "requirements.txt", "models/vae.keras", "reports/history.csv"
DETAILS = ("evaluate", "embed", "baseline", "classify", "score")
"""The stages whose results a card contains, each in a file in `reports/details/`."""


class Run(NamedTuple):
    """A run of the pipeline."""

    params: dict[str, dict[str, Any]]
    """The sections `prepare`, `model`, `train` and `evaluate` of `params.yaml`."""
    seed: int
    results: dict[str, dict[str, Any]]
    """All results of each stage in `DETAILS`."""
    epochs: int
    """The epochs that were trained."""
    data_md5: str
    """DVC's checksum of the raw images."""


def read_run(folder: Path, model_md5: str) -> Run:
    """Return the run that made a model.

    Args:
        folder: the checkout.
        model_md5: the checksum of the model's file.

    Raises:
        InputError: `dvc.lock` is missing or lacks a stage, the model or a result is not what it records, or its stages
            are of several runs.
    """
    stages = _read_lock(folder / LOCK)
    _check_one_run(stages)
    if _outputs(stages["train"]).get(MODEL) != model_md5:
        raise InputError(
            f"the model is not the one that {LOCK} records, so the results in reports/ are not its own: run "
            "`dvc repro`, or go to the commit of the model."
        )
    params = {name: _params(stages[name])[name] for name in ("prepare", "evaluate")}
    params |= {name: _params(stages["train"])[name] for name in ("model", "train")}
    results = {name: json.loads(_read_output(folder, f"reports/details/{name}.json", stages[name])) for name in DETAILS}
    history = _read_output(folder, HISTORY, stages["train"]).decode()
    epochs = sum(1 for _ in csv.DictReader(io.StringIO(history)))
    return Run(params, _params(stages["train"])["seed"], results, epochs, _data_md5(stages["prepare"]))


def _read_lock(path: Path) -> dict[str, Any]:
    """Return the stages in `dvc.lock`, with those that a card needs."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"{LOCK} is missing here; run `dvc repro`, in the folder of the pipeline.") from None
    try:
        stages: dict[str, Any] = YAML(typ="safe").load(text)["stages"]
    except Exception:  # a value that does not fit its tag raises any kind
        raise InputError(f"{LOCK} is not valid; run `git checkout {LOCK}`, then `dvc repro`.") from None
    if missing := [name for name in ("prepare", "train", *DETAILS) if name not in stages]:
        raise InputError(f"{LOCK} records no run of {', '.join(missing)}; `dvc repro` runs what is missing.")
    return stages


def _check_one_run(stages: dict[str, Any]) -> None:
    """Refuse stages that used other files than the recorded ones: a part of the pipeline was run again, the rest not.

    Raises:
        InputError: a stage did.
    """
    made = {path: md5 for stage in stages.values() for path, md5 in _outputs(stage).items()}
    for name in ("train", *DETAILS):
        for dep in stages[name]["deps"]:
            if made.get(dep["path"], dep["md5"]) != dep["md5"]:
                raise InputError(
                    f"the results of {name} in reports/ are of another {dep['path']} than the one that {LOCK} records; "
                    "`dvc repro` measures again."
                )


def _data_md5(prepare: dict[str, Any]) -> str:
    """Return the checksum of the raw images: of what `prepare` depends on, besides the code and the pins.

    DVC writes their path in another form than `prepare.dataset` may have.
    """
    deps: list[dict[str, str]] = prepare["deps"]
    return next(dep["md5"] for dep in deps if dep["path"] != PINS and not dep["path"].startswith("src/"))


def _outputs(stage: dict[str, Any]) -> dict[str, str]:
    outputs: Iterable[dict[str, Any]] = stage.get("outs", ())
    return {out["path"]: out["md5"] for out in outputs}


def _params(stage: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = stage["params"]["params.yaml"]
    return params


def _read_output(folder: Path, name: str, stage: dict[str, Any]) -> bytes:
    """Return the contents of an output, if they are the recorded ones.

    Raises:
        InputError: they are not, or the file is missing.
    """
    path = folder / name
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != _outputs(stage).get(name):
        raise InputError(f"{name} is not the file that {LOCK} records; `dvc checkout` or `dvc repro` makes it again.")
    return content
