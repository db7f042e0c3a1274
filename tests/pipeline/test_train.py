"""The stage `train` when its training diverges, and when it is run again with a lower learning rate."""

import importlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from vae.data.shards import save_split
from vae.data.splits import Split, load_split
from vae.model.checkpoint import load_model
from vae.model.vae import VAE
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.stage import run_stage
from vae.training.fit import build_model

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with twenty images in each split."""
    images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype("float32")
    for name in ("train", "validation"):
        split = Split(images, np.zeros(20, np.uint8), np.array(list("0123456789")))
        save_split(tmp_path / f"data/prepared/{name}.npz", *split)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(root / "src")
    return tmp_path


def write_params(root: Path, **changes: Any) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"epochs": 3, "batch_size": 20} | changes
    shutil.copy(root / params["train"]["initial_weights"], "data")
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def test_best_weights_of_a_training_that_diverges_are_kept_next_to_a_new_training(
    folder: Path, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = importlib.import_module("train")
    # An epoch is a step: the first at rate zero, where the warm-up begins, the second at a ruinous rate.
    write_params(root, warmup=0.9)
    seed, model, settings = load_settings(Model, Train)
    settings = settings.model_copy(update={"learning_rate": 1e38})  # above the limit
    with monkeypatch.context() as patched:
        patched.setattr(stage, "load_settings", lambda *sections: (seed, model, settings))
        with pytest.raises(SystemExit) as ended:
            run_stage(stage.main)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "error: the validation loss became NaN or infinite in epoch 2, after its last step, at a learning rate of "
    )
    (kept_at,) = Path("models/unfinished").glob("*/best.keras")
    assert line.endswith(
        f"; train.learning_rate is 1e+38: try a lower one. The weights of epoch 1, the best, are in {kept_at}."
    )
    kept = load_model(kept_at, VAE, stage="train")
    first = build_model(load_split(folder / "data/prepared/train.npz"), model, settings, seed)
    for values, expected in zip(kept.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(values, expected)
    assert not Path("models/vae.keras").exists()
    assert pd.read_csv("reports/history.csv").epoch.tolist() == [1]

    # The new training does not resume there, and leaves it as it is.
    write_params(root, learning_rate=0.001)
    run_stage(stage.main)
    output = capsys.readouterr().out
    line = "models/unfinished contains only work with other parameters, data or code: starting over."
    assert line in output.splitlines()
    assert "kept epoch 3: " in output
    assert sorted(path.name for path in kept_at.parent.iterdir()) == ["best.keras", "state.npz"]
    assert [*Path("models/unfinished").glob("*/")] == [kept_at.parent]
