import numpy as np
import pytest
from sklearn.manifold import trustworthiness as reference
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from vae import neighbourhoods
from vae.neighbourhoods import assess, describe, neighbours_votes, trustworthiness


def value(points: np.ndarray, places: np.ndarray) -> float:
    return trustworthiness(points, places)["value"]


def test_votes_are_those_of_leaving_one_out() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=120).astype(np.uint8)
    places = rng.normal(size=(120, 2)) + labels[:, np.newaxis]
    expected = cross_val_score(KNeighborsClassifier(5), places, labels, cv=LeaveOneOut()).mean()
    assert (neighbours_votes(places, labels) == labels).mean() == pytest.approx(expected)
    assert 0.3 < expected < 0.95


def test_trustworthiness_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(300, 4, 2)).astype("float32")
    for places in (points[:, 0], points[:, :2, 0] + rng.normal(size=(300, 2)), rng.normal(size=(300, 2))):
        expected = reference(points.reshape(300, 8), places, n_neighbors=15)
        assert value(points, places) == pytest.approx(expected, abs=1e-6)


def test_trustworthiness_of_the_points_themselves_is_one_and_of_random_places_one_half() -> None:
    points = np.random.default_rng(2).normal(size=(2000, 2))
    assert value(points, points) == 1
    assert value(points, np.random.default_rng(3).normal(size=(2000, 2))) == pytest.approx(0.5, abs=0.02)


def test_of_many_points_the_first_are_looked_at_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(size=(3000, 5))
    places = points[:, :2].copy()
    whole = value(points, places)
    monkeypatch.setattr(neighbourhoods, "MAX_QUERIES", 600)
    assert value(points, places) == pytest.approx(whole, abs=0.01)
    places[600:] = rng.normal(size=(2400, 2))  # worse neighbours for all
    assert value(points, places) < whole - 0.05


def test_chunks_do_not_change_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    points, places = rng.normal(size=(900, 6)), rng.normal(size=(900, 2))
    whole = value(points, places)
    monkeypatch.setattr(neighbourhoods, "CHUNK_MIB", 0.1)
    assert value(points, places) == pytest.approx(whole, abs=1e-12)


def test_standard_error_is_that_of_the_mean_of_the_points_own_figures() -> None:
    points = np.random.default_rng(7).normal(size=(100, 3))
    places, k = points[:, :2], 15
    before, after = (np.linalg.norm(x[:, np.newaxis] - x, axis=2) for x in (points, places))
    ranks = before.argsort(axis=1).argsort(axis=1)  # of itself 0
    near = after.argsort(axis=1)[:, 1 : k + 1]
    excess = np.maximum(0, np.take_along_axis(ranks, near, axis=1) - k).sum(axis=1)
    of_each = 1 - 2 / (k * (200 - 3 * k - 1)) * excess
    found = trustworthiness(points, places)
    assert found["value"] == pytest.approx(of_each.mean())
    assert found["standard_error"] == pytest.approx(of_each.std(ddof=1) / 10)


def test_a_map_is_assessed_against_its_input_and_the_pixels() -> None:
    rng = np.random.default_rng(6)
    pixels, z = rng.normal(size=(2, 200, 5))
    places, labels = z[:, :2], rng.integers(2, size=200).astype(np.uint8)
    figures = assess(z, pixels, places, labels)
    right = (neighbours_votes(places, labels) == labels).mean()
    assert figures["knn"] == {
        "accuracy": pytest.approx(right),
        "standard_error": pytest.approx(np.sqrt(right * (1 - right) / 200)),
        "images": 200,
    }
    assert figures["trustworthiness"] == {
        "input": trustworthiness(z, places),
        "pixels": trustworthiness(pixels, places),
    }
    figures["knn"]["accuracy"] = 0.5
    figures["trustworthiness"]["input"]["value"], figures["trustworthiness"]["pixels"]["value"] = 0.75, 0.25
    assert describe(figures) == "5-NN accuracy 0.500, trustworthiness 0.750 to its input, 0.250 to the pixels"
