from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness as reference
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from vae.evaluation import map_quality
from vae.evaluation.map_quality import MapQuality, assess, describe, neighbours_votes, trustworthiness


def value(points: NDArray[np.floating[Any]], places: NDArray[np.floating[Any]]) -> float:
    return trustworthiness(points, places)["value"]


def test_votes_match_leave_one_out_classification() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=120).astype(np.uint8)
    places = rng.normal(size=(120, 2)) + labels[:, np.newaxis]
    expected = cross_val_score(KNeighborsClassifier(5), places, labels, cv=LeaveOneOut()).mean()
    assert (neighbours_votes(places, labels) == labels).mean() == pytest.approx(expected)
    assert 0.3 < expected < 0.95


def test_the_smallest_label_wins_a_tie_and_labels_may_be_large() -> None:
    places = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])  # three others vote
    labels = np.array([60_000, 7, 60_000, 300], np.uint16)
    assert neighbours_votes(places, labels).tolist() == [7, 60_000, 7, 60_000]


def test_trustworthiness_of_few_points_uses_fewer_neighbours() -> None:
    points = np.random.default_rng(8).normal(size=(9, 3))
    assert value(points, points[:, :2]) == pytest.approx(reference(points, points[:, :2], n_neighbors=4))


def test_trustworthiness_matches_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(300, 4, 2)).astype("float32")
    for places in (points[:, 0], points[:, :2, 0] + rng.normal(size=(300, 2)), rng.normal(size=(300, 2))):
        expected = reference(points.reshape(300, 8), places, n_neighbors=15)
        assert value(points, places) == pytest.approx(expected, abs=1e-6)


def test_trustworthiness_is_one_for_the_points_themselves_and_one_half_for_random_places() -> None:
    points = np.random.default_rng(2).normal(size=(2000, 2))
    assert value(points, points) == 1
    assert value(points, np.random.default_rng(3).normal(size=(2000, 2))) == pytest.approx(0.5, abs=0.02)


def test_many_points_are_assessed_by_the_first_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(size=(3000, 5))
    places = points[:, :2].copy()
    all_points = value(points, places)
    monkeypatch.setattr(map_quality, "MAX_QUERIES", 600)
    assert value(points, places) == pytest.approx(all_points, abs=0.01)
    places[600:] = rng.normal(size=(2400, 2))  # worse neighbours for all
    assert value(points, places) < all_points - 0.05


def test_the_size_of_chunks_does_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    points, places = rng.normal(size=(900, 6)), rng.normal(size=(900, 2))
    in_one = value(points, places)
    monkeypatch.setattr(map_quality, "CHUNK_MIB", 0.1)
    assert value(points, places) == pytest.approx(in_one, abs=1e-12)


def test_trustworthiness_has_the_mean_and_standard_error_of_its_value_at_each_point() -> None:
    points = np.random.default_rng(7).normal(size=(100, 3))
    places, k = points[:, :2], 15
    before, after = (np.linalg.norm(x[:, np.newaxis] - x, axis=2) for x in (points, places))
    ranks = before.argsort(axis=1).argsort(axis=1)  # 0 for the point itself
    near = after.argsort(axis=1)[:, 1 : k + 1]
    excess = np.maximum(0, np.take_along_axis(ranks, near, axis=1) - k).sum(axis=1)
    per_point = 1 - 2 / (k * (200 - 3 * k - 1)) * excess
    found = trustworthiness(points, places)
    assert found["value"] == pytest.approx(per_point.mean())
    assert found["standard_error"] == pytest.approx(per_point.std(ddof=1) / 10)


def test_a_map_is_assessed_against_its_input_and_the_pixels() -> None:
    rng = np.random.default_rng(6)
    pixels, z = rng.normal(size=(2, 200, 5))
    places, labels = z[:, :2], rng.integers(2, size=200).astype(np.uint8)
    quality = assess(z, pixels, places, labels)
    share = (neighbours_votes(places, labels) == labels).mean()
    assert quality["knn"] == {
        "accuracy": pytest.approx(share),
        "standard_error": pytest.approx(np.sqrt(share * (1 - share) / 200)),
        "images": 200,
    }
    assert quality["trustworthiness"] == {
        "input": trustworthiness(z, places),
        "pixels": trustworthiness(pixels, places),
    }


@pytest.mark.parametrize("labels", [None, np.full(40, 3, np.uint8)], ids=["no labels", "one class"])
def test_accuracy_is_left_out_where_there_are_no_classes(labels: NDArray[np.uint8] | None) -> None:
    pixels = np.random.default_rng(9).random((40, 33, 47, 3), dtype=np.float32)
    quality = assess(pixels, pixels, pixels[:, 0, 0, :2], labels)
    assert set(quality) == {"trustworthiness"}
    trust = quality["trustworthiness"]["input"]["value"]
    assert describe(quality) == f"trustworthiness {trust:.3f} to its input, {trust:.3f} to the pixels"


def test_description_gives_three_metrics() -> None:
    quality: MapQuality = {
        "knn": {"accuracy": 0.5, "standard_error": 0.1, "images": 25},
        "trustworthiness": {
            "input": {"value": 0.75, "standard_error": 0.1},
            "pixels": {"value": 0.25, "standard_error": 0.1},
        },
    }
    assert describe(quality) == "5-NN accuracy 0.500, trustworthiness 0.750 to its input, 0.250 to the pixels"
