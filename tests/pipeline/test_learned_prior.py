"""Stage `visualize` with a learned prior, a likelihood with a weight and a warm-up of the KL."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import small_images
from small_images import SIZES, Run, run_stages

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        model = {"latent_dim": 3, "prior": "mixture", "likelihood": "gaussian"}
        patch.setitem(small_images.CHANGES, "model", model)
        patch.setitem(small_images.CHANGES, "train", {"epochs": 3, "batch_size": 20, "beta_warmup": 4})
        stages = ("train", "evaluate", "embed", "visualize")
        return run_stages(root, tmp_path_factory.mktemp("learned"), dict.fromkeys(SIZES), [], stages=stages)


def test_the_kl_per_dimension_is_to_the_moments_of_the_test_images(run: Run) -> None:
    with np.load(run.path / "data/embeddings/test.npz") as file:
        mean, variance = file["z_mean"].astype(float), np.exp(file["z_log_var"].astype(float))
    m, s2 = mean.mean(axis=0), mean.var(axis=0) + variance.mean(axis=0)
    kl = (0.5 * (np.log(s2 / variance) + (variance + (mean - m) ** 2) / s2 - 1)).mean(axis=0)
    table = pd.read_csv(run.path / "reports/kl_per_dimension.csv")
    assert table.dimension.tolist() == np.argsort(-kl).tolist()
    assert table.kl.tolist() == pytest.approx(np.sort(kl)[::-1], rel=1e-5)


def test_every_picture_is_drawn(run: Run) -> None:
    assert len(list((run.path / "reports").glob("*.png"))) == 9
    assert pd.read_csv(run.path / "reports/history.csv").beta.tolist() == [0.5, 1, 1]
