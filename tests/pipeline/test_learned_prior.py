"""Stages with a learned prior, a likelihood with a weight and a warm-up of the KL."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import small_images
import vae
from small_images import SIZES, Run, run_stages
from vae.model.priors.vampprior import VampPrior
from vae.settings.train import RANDOM_WEIGHTS

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


def test_a_training_that_starts_from_a_checkpoint_starts_from_its_pseudo_inputs(root: Path, tmp_path: Path) -> None:
    def train(**changes: object) -> NDArray[np.float32]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(small_images.CHANGES, "train", {"epochs": 1, "batch_size": 20, **changes})
            run_stages(root, tmp_path, dict.fromkeys(SIZES), [], stages=("train",), model={"prior": "vampprior"})
        prior = vae.load(tmp_path / "models/vae.keras").prior
        assert isinstance(prior, VampPrior)
        return np.asarray(prior.pseudo_inputs)

    first = train(learning_rate=0.01)
    (tmp_path / "models/vae.keras").rename(tmp_path / "first.keras")
    second, other = (train(learning_rate=1e-6, initial_weights=file) for file in ("first.keras", RANDOM_WEIGHTS))
    assert np.abs(second - first).max() < 1e-4
    assert np.abs(other - first).max() > 1e-2
