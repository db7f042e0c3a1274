"""A made-up run in a folder: the file of a model, results, and the `dvc.lock` that ties them together.

The file contains what `vae.model.checkpoint.save_model` writes, but no model was built, which takes seconds.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

CONFIG = {
    "image_shape": [12, 10, 1],
    "latent_dim": 3,
    "architecture": "mlp",
    "likelihood": "bernoulli",
    "prior": "standard",
    "precision": "float32",
    "class_names": ["a", "b"],
}
PARAMS: dict[str, dict[str, Any]] = {
    "prepare": {"dataset": "/home/alice/secret-host/faces", "share": 1.0, "validation_size": 0.1, "fit": "pad"},
    "model": {"latent_dim": 3, "likelihood": "bernoulli", "prior": "standard", "conditional": False},
    "train": {
        "objective": "elbo",
        "samples": 1,
        "beta": 1.0,
        "beta_warmup": 0,
        "free_bits": 0.0,
        "initial_weights": "data/random_weights.txt",
        "epsilon_std": 1.0,
        "epochs": 9,
    },
    "evaluate": {"samples": 8},
}
PROTOCOLS = {"bernoulli": ("grey", "binarized")}
DENSITIES = ("continuous_bernoulli", "gaussian", "gaussian_per_value")
LEFT_OUT = {"left_out": "They are left out: the images have no labels."}
PROBE = {"accuracy": 0.75, "standard_error": 0.01, "images": 11}
CLUSTERS = {"mean": 0.5, "standard_error": 0.001}
PROBES = {"logistic_regression": PROBE, "knn": PROBE, "nmi": CLUSTERS, "ari": CLUSTERS}
DISTANCES = dict.fromkeys(("prior", "mixture", "reconstruction", "train"), 0.25)


def save_file(path: Path, kind: str = "vae>VAE", **config: Any) -> None:
    """Write the file of a model with 7 weights."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["encoder/vars/0"] = np.zeros((2, 3), np.float32)
        file["decoder/vars/0"] = np.zeros((), np.float32)
        file["seed/vars/0"] = np.zeros(2, np.uint32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"registered_name": kind, "config": CONFIG | config}))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("model.weights.h5", weights.getvalue())


def bounds(loss: float, in_bits: bool) -> dict[str, Any]:
    means = {"loss": loss, "reconstruction": loss - 2, "kl": 2.0, "importance_weighted": loss - 1}
    results: dict[str, Any] = {**means, "standard_error": dict.fromkeys(means, 0.5), "images": 12, "samples": 8}
    bits = {**{name: value / 100 for name, value in means.items()}, "standard_error": dict.fromkeys(means, 0.001)}
    return results | ({"bits_per_dimension": bits} if in_bits else {})


def results_of(likelihood: str, labelled: bool) -> dict[str, Any]:
    """Return results as the stages write them; each protocol has a loss of its own."""
    protocols = PROTOCOLS.get(likelihood, (likelihood,))
    evaluated = {name: bounds(70.0 + 10 * i, likelihood not in DENSITIES) for i, name in enumerate(protocols)}
    frechet = {"frechet": {**DISTANCES, "standard_error": dict.fromkeys(DISTANCES, 0.01)}, "images": 10}
    return {
        "evaluate": {**evaluated, "posterior": {"active_units": 3}},
        "embed": {"latents": PROBES} if labelled else LEFT_OUT,
        "baseline": {"pixels": PROBES} if labelled else LEFT_OUT,
        "classify": {"classifier": PROBE} if labelled else LEFT_OUT,
        "score": frechet if labelled else LEFT_OUT,
    }


def record(folder: Path, changes: dict[str, dict[str, Any]] | None = None, labelled: bool = True, **model: Any) -> Path:
    """Write a run into a folder, and return the path of its model.

    Args:
        folder: the folder.
        changes: changes of `PARAMS`.
        labelled: whether the images have labels.
        model: changes of `CONFIG`.
    """
    params = {name: section | (changes or {}).get(name, {}) for name, section in PARAMS.items()}
    path = folder / "models/vae.keras"
    save_file(path, **({} if labelled else {"class_names": []}) | model)
    written = {"reports/history.csv": "epoch,loss\n1,3\n2,2\n", "models/vae.keras": ""}
    for stage, results in results_of(model.get("likelihood", "bernoulli"), labelled).items():
        written[f"reports/details/{stage}.json"] = json.dumps(results)
    for name, content in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if content:
            (folder / name).write_text(content, encoding="utf-8")
    write_lock(folder, params)
    return path


def write_lock(folder: Path, params: dict[str, Any]) -> None:
    """Write the `dvc.lock` of the files as they are."""

    def entry(name: str) -> dict[str, str]:
        return {"path": name, "md5": hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest()}

    def stage(deps: list[str], outs: list[str], *sections: str) -> dict[str, Any]:
        used = {"seed": 1, **{name: params[name] for name in sections}}
        return {"deps": [*map(entry, deps)], "outs": [*map(entry, outs)], "params": {"params.yaml": used}}

    model = "models/vae.keras"
    raw = {"path": f"../{Path(params['prepare']['dataset']).name}", "md5": "0123.dir"}  # DVC shortens paths
    code = [{"path": path, "md5": "4567"} for path in ("requirements.txt", "src/prepare.py")]
    stages = {
        "prepare": stage([], [], "prepare") | {"deps": [*code, raw]},
        "train": stage([], [model, "reports/history.csv"], "model", "train"),
        "evaluate": stage([model], ["reports/details/evaluate.json"], "evaluate"),
        "embed": stage([model], ["reports/details/embed.json"]),
        "baseline": stage([], ["reports/details/baseline.json"]),
        "classify": stage([], ["reports/details/classify.json"]),
        "score": stage([model], ["reports/details/score.json"]),
    }
    (folder / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), encoding="utf-8")
