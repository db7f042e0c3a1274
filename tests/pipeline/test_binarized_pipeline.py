"""Every stage that uses the model, with one of binarized images, which refuses grey levels."""

from pathlib import Path

import numpy as np
import pytest

import vae
from benchmarks.stages import outputs, read_stages
from small_images import SIZES, Labels, run_stages
from vae.data.binarization import binarize
from vae.data.splits import load_split

LABELS: dict[str, Labels] = {name: np.arange(count, dtype=np.uint8) % 3 for name, count in SIZES.items()}
STAGES = ("train", "evaluate", "embed", "visualize", "classify", "score")


@pytest.mark.slow
def test_every_stage_gives_the_model_binarized_images(root: Path, tmp_path: Path) -> None:
    run = run_stages(root, tmp_path, LABELS, ["a", "b", "c"], stages=STAGES, model={"likelihood": "binarized"})
    stages = read_stages(run.path)
    for name in (name for stage in STAGES for name in outputs(stages[stage])):
        assert (run.path / name).stat().st_size > 0, name
    model, images = vae.load(run.path / "models/vae.keras"), load_split(run.path / "data/prepared/test.npz").images[:]
    with np.load(run.path / "data/embeddings/test.npz") as file:
        np.testing.assert_allclose(file["z_mean"], model.encode(binarize(images))[0], atol=1e-6)
    with np.load(run.path / "data/evaluation/test.npz") as file:
        loss = file["reconstruction"] + file["kl"]
    np.testing.assert_allclose(loss, model.score(binarize(images), samples=20), rtol=0.02)
    assert run.read_json("binarized")["loss"] == pytest.approx(loss.mean(), rel=1e-5)
