"""The picture of rate and distortion."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.rate_distortion import draw


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
