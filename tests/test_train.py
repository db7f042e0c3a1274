"""The stage `train` where its training diverges, and after."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from vae.errors import run_stage
from vae.nn.checkpoint import load_checkpoint
from vae.nn.training import build_model
from vae.settings import Train, load_settings
from vae.splits import Split, save_split

COMMITTED = Path(__file__).parents[1] / "params.yaml"

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with twenty images of either split."""
    images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype("float32")
    for name in ("train", "validation"):
        split = Split(images, np.zeros(20, np.uint8), np.array(list("0123456789")))
        save_split(tmp_path / f"data/prepared/{name}.npz", split)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, **changes: Any) -> None:
    params = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    params["train"] |= {"epochs": 3, "batch_size": 20} | changes
    path.write_text(yaml.safe_dump(params), encoding="utf-8")


def test_the_best_checkpoint_is_kept_of_a_training_that_diverges(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = importlib.import_module("train")
    main = stage.main
    # an epoch is a step: the first at rate zero, where the warm-up begins, the second at a ruinous one
    write(folder / "params.yaml", warmup=0.9)
    settings, seed = load_settings(Train, folder / "params.yaml")
    settings = settings.model_copy(update={"learning_rate": 1e38})
    with monkeypatch.context() as patched:
        patched.setattr(stage, "load_settings", lambda section: (settings, seed))
        with pytest.raises(SystemExit) as ended:
            run_stage(main)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "error: the validation loss became NaN or infinite in epoch 2, after its last step, at a learning rate of "
    )
    (kept_at,) = Path("models/unfinished").glob("*/best")
    assert line.endswith(
        f"; train.learning_rate is 1e+38: try a lower one. The weights of epoch 1, the best, are in {kept_at}."
    )
    kept, first = load_checkpoint(kept_at), build_model(settings, seed)
    for values, expected in zip(kept.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(values, expected)
    assert not Path("models/vae").exists()
    assert not Path("reports").exists()

    # the mended training does not go on from there, and leaves it
    write(folder / "params.yaml", learning_rate=0.001)
    run_stage(main)
    output = capsys.readouterr().out
    assert "models/unfinished has trainings with other parameters, data or code alone: starting anew." in output
    assert "kept epoch 3: " in output
    assert sorted(path.name for path in kept_at.parent.iterdir()) == ["best", "state.npz"]
    assert [*Path("models/unfinished").iterdir()] == [kept_at.parent]
