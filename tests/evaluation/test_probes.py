import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from vae.errors import InputError
from vae.evaluation.probes import principal_components, probe, summary


def clusters(count: int, distance: float, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return points (count, 4) of three Gaussian classes, `distance` apart, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=count).astype(np.uint8)
    return (rng.normal(size=(count, 4)) + distance * np.eye(4)[labels]).astype("float32"), labels


def test_separate_classes_are_found() -> None:
    results = probe(*clusters(600, 20.0, 0), *clusters(300, 20.0, 1), seed=0, title="test")
    for name in ("logistic_regression", "knn"):
        assert results[name] == {"accuracy": 1.0, "standard_error": 0.0, "images": 300}
    assert results["nmi"]["mean"] > 0.7
    assert results["ari"]["mean"] > 0.6
    assert summary(results).startswith("logistic regression 1.0000, 5 nearest neighbours 1.0000, K-means NMI ")
    assert "\n" not in summary(results)


def test_mixed_classes_are_not_found() -> None:
    results = probe(*clusters(600, 0.0, 0), *clusters(300, 0.0, 1), seed=0, title="test")
    for name in ("logistic_regression", "knn"):
        assert results[name]["accuracy"] == pytest.approx(1 / 3, abs=0.12)
    assert results["nmi"]["mean"] < 0.05
    assert results["ari"]["mean"] < 0.05


def test_neighbours_find_classes_that_no_line_separates() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, size=(1500, 2)).astype("float32")
    labels = ((points[:, 0] > 0) ^ (points[:, 1] > 0)).astype(np.uint8)
    results = probe(points[:1000], labels[:1000], points[1000:], labels[1000:], seed=0, title="test")
    assert results["logistic_regression"]["accuracy"] < 0.65
    assert results["knn"]["accuracy"] > 0.95


def test_agreement_is_the_mean_over_ten_starts_with_its_standard_error() -> None:
    train, train_labels = clusters(300, 1.5, 0)
    test, labels = clusters(200, 1.5, 1)
    results = probe(train, train_labels, test, labels, seed=4, title="test")
    for name, score in {"nmi": normalized_mutual_info_score, "ari": adjusted_rand_score}.items():
        states = np.random.SeedSequence(4).generate_state(10)
        scores = [score(labels, KMeans(3, random_state=int(s)).fit(train).predict(test)) for s in states]
        assert results[name] == {
            "mean": pytest.approx(np.mean(scores)),
            "standard_error": pytest.approx(np.std(scores, ddof=1) / np.sqrt(10)),
        }
    assert results["nmi"]["standard_error"] > 0


def test_principal_components_are_fitted_to_the_training_points() -> None:
    rng = np.random.default_rng(0)
    train, test = ((rng.normal(size=(n, 30)) * np.arange(30, 0, -1)).astype("float32") for n in (200, 50))
    first, second = principal_components(train, test, 10, seed=0)
    assert first.shape == (200, 10)
    exact = PCA(svd_solver="full").fit(train)
    np.testing.assert_allclose(np.diag(np.cov(first.T)), exact.explained_variance_[:10], rtol=1e-3)
    np.testing.assert_allclose(np.abs(second), np.abs(exact.transform(test)[:, :10]), atol=0.05)


def test_principal_components_flatten_images_and_are_at_most_as_many_as_the_dimensions() -> None:
    train, test = np.random.default_rng(0).normal(size=(2, 20, 2, 3)).astype("float32")
    first, second = principal_components(train, test, 10, seed=0)
    assert (first.shape, second.shape) == ((20, 6), (20, 6))
    np.testing.assert_array_equal(principal_components(train.reshape(20, 6), test, 10, seed=0)[1], second)


@pytest.mark.parametrize("spread", [0, 1e-8, 1e-30], ids=str)
def test_equal_points_say_nothing_and_bring_no_warning(spread: float) -> None:
    points, labels = clusters(60, 0.0, 0)
    results = probe(0 * points + np.float32(spread) * points, labels, points * 0, labels, seed=0, title="test")
    assert results["logistic_regression"]["accuracy"] == pytest.approx(np.bincount(labels).max() / 60)
    assert results["nmi"] == results["ari"] == {"mean": 0.0, "standard_error": 0.0}


@pytest.mark.parametrize("value", [1e18, 3e38, np.nan])
def test_points_too_large_for_distances_are_refused(value: float) -> None:
    points, labels = clusters(60, 0.0, 0)
    points[3, 1] = value
    with pytest.raises(InputError, match=r"^latents: a value is .*, but must be at most 1e\+15 to be probed: if the "):
        probe(points, labels, points, labels, seed=0, title="latents")


def test_a_class_without_training_points_is_never_predicted() -> None:
    train, labels = clusters(200, 20.0, 0)
    test, _ = clusters(100, 20.0, 1)
    results = probe(train, labels, test, np.full(100, 999, np.uint16), seed=0, title="test")
    for name in ("logistic_regression", "knn"):
        assert results[name]["accuracy"] == 0
    assert results["nmi"]["mean"] == results["ari"]["mean"] == 0  # one class and several clusters share no information


def test_images_in_colour_and_classes_of_a_single_image_are_probed() -> None:
    train = np.random.default_rng(0).random((4, 33, 47, 3), dtype=np.float32)
    labels = np.array([0, 1, 400, 400], np.uint16)  # fewer images than neighbours
    results = probe(train, labels, train, labels, seed=0, title="test")
    assert results["logistic_regression"]["accuracy"] == 1
    assert results["knn"]["accuracy"] == 0.5  # all four vote
    assert [part.shape for part in principal_components(train, train[:2], 10, seed=0)] == [(4, 4), (2, 4)]


def test_training_points_of_one_class_are_refused() -> None:
    points, _ = clusters(20, 1.0, 0)
    with pytest.raises(InputError, match=r"^the training images are all of one class, "):
        probe(points, np.zeros(20, np.uint8), points, np.zeros(20, np.uint8), seed=0, title="test")
