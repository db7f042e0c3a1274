"""All stages but `prepare` on small colour images, in this process."""

import importlib
import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from vae.data.shards import save_split

STAGES = ("train", "evaluate", "embed", "visualize", "baseline", "classify", "score")
SHAPE, SIZES = (12, 20, 3), {"train": 40, "validation": 8, "test": 12}
CHANGES = {
    "train": {"epochs": 2, "batch_size": 20},
    "model": {"latent_dim": 3},
    "evaluate": {"samples": 2},
    "classify": {"epochs": 2},
    "visualize": {"prior_samples": 9},
    "score": {"mixture_components": 50},
}
Labels = NDArray[np.uint8] | None


class Run:
    """The outputs of all stages in a folder, and what each printed."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        self.printed: dict[str, list[str]] = {}

    def read_json(self, name: str) -> Any:
        return json.loads((self.path / f"reports/{name}.json").read_text(encoding="utf-8"))


def run_stages(
    root: Path,
    path: Path,
    labels: dict[str, Labels],
    names: Sequence[str],
    reason: str = "",
    stages: Sequence[str] = STAGES,
    model: dict[str, Any] | None = None,
) -> Run:
    """Write prepared images with these labels into a folder, and run stages there.

    Args:
        root: the checkout.
        path: the folder.
        labels: the labels of each split.
        names: the names of the classes.
        reason: why no classes can be told apart.
        stages: the stages; the outputs of the others are there already.
        model: further changes of the section `model`.
    """
    run = Run(path, reason)
    for file in ("dvc.yaml", "data/random_weights.txt"):
        (run.path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file, run.path / file)
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    for section, changes in CHANGES.items():
        params[section] |= changes
    params["model"] |= model or {}
    (run.path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    rng = np.random.default_rng(0)
    for name, count in SIZES.items():
        images = rng.uniform(size=(count, 1, 1, 3)) * rng.uniform(0.5, 1, (count, *SHAPE))
        levels = np.round(255 * images).astype(np.uint8)
        save_split(run.path / f"data/prepared/{name}.npz", levels, labels[name], np.array(names, np.str_))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(run.path)
        patch.syspath_prepend(root / "src")
        for stage in stages:
            with redirect_stdout(StringIO()) as printed:
                importlib.import_module(stage).main()
            run.printed[stage] = printed.getvalue().splitlines()
    return run
