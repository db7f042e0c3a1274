"""The table and the picture of rate and distortion."""

from io import StringIO
from typing import Any

import dvc.api
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from benchmarks import rate_distortion
from benchmarks.rate_distortion import SETTINGS, draw, measure


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"latent_dim": 2, "beta": 1.0, "rate": 6.0, "distortion": 130.0, "neg_elbo": 136.0},
            {"latent_dim": 2, "beta": 4.0, "rate": 4.0, "distortion": 136.0, "neg_elbo": 140.0},
            {"latent_dim": 10, "beta": 0.25, "rate": 30.0, "distortion": 75.0, "neg_elbo": 105.0},
            {"latent_dim": 10, "beta": 1.0, "rate": 20.0, "distortion": 80.0, "neg_elbo": 100.0},
        ]
    )


def test_each_number_of_latent_dimensions_has_a_curve_of_its_points() -> None:
    (axes,) = draw(rows()).axes
    curves = {str(line.get_label()): np.asarray(line.get_xydata()) for line in axes.lines if line.get_marker() == "o"}
    assert curves["K = 2"].tolist() == [[6.0, 130.0], [4.0, 136.0]]
    assert curves["K = 10"].tolist() == [[30.0, 75.0], [20.0, 80.0]]
    assert {text.get_text() for text in axes.texts} >= {"1", "4", "0.25"}


def test_the_dotted_lines_join_points_of_equal_elbo_as_their_labels_say() -> None:
    figure: Figure = draw(rows())
    (axes,) = figure.axes
    lines = [np.asarray(line.get_xydata()) for line in axes.lines if line.get_marker() != "o"]
    totals = {round(float(point.sum()), 6) for line in lines for point in line}
    labels = {float(text.get_text().split()[1]) for text in axes.texts if text.get_text().startswith("−ELBO")}
    assert labels
    assert labels <= totals
    assert min(totals) == 100


def test_a_point_is_an_experiment_whose_results_become_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()
    bounds = {
        **{"loss": 101.0, "reconstruction": 80.0, "kl": 21.0, "importance_weighted": 97.0},
        "standard_error": {"loss": 0.3, "importance_weighted": 0.2},
    }
    results = {
        "grey": dict.fromkeys(bounds),
        "binarized": bounds,
        "posterior": {"active_units": 9},
    }
    monkeypatch.setattr(rate_distortion, "run_experiment", lambda *asks, **options: asked.append((*asks, options)))
    monkeypatch.setattr(rate_distortion, "details", lambda stage, revision: results if stage == "evaluate" else {})
    monkeypatch.setattr(dvc.api, "open", lambda path, rev: StringIO("epoch,val_loss\n1,99.0\n2,97.0\n3,98.0\n"))
    assert measure(10, 0.5) == {
        **{"latent_dim": 10, "beta": 0.5, "rate": 21.0, "distortion": 80.0, "neg_elbo": 101.0, "standard_error": 0.3},
        **{"nll": 97.0, "active_units": 9, "kept_epoch": 2},
    }
    settings = {**SETTINGS, "model.latent_dim": 10, "train.beta": 0.5}
    assert settings["prepare.dataset"] == "mnist"
    assert asked == [("rate-distortion-beta-0-5-k-10", settings, {"targets": ["evaluate"]})]
