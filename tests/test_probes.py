import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from vae.probes import principal_components, probe, summary


def blobs(count: int, distance: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three Gaussian classes in four dimensions, `distance` apart."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=count).astype(np.uint8)
    return (rng.normal(size=(count, 4)) + distance * np.eye(4)[labels]).astype("float32"), labels


def test_classes_that_lie_apart_are_found_and_others_not() -> None:
    apart = probe(*blobs(600, 20.0, 0), *blobs(300, 20.0, 1), seed=0, title="test")
    for name in ("logistic_regression", "knn"):
        assert apart[name] == {"accuracy": 1.0, "standard_error": 0.0, "images": 300}
    assert apart["nmi"]["mean"] > 0.7
    assert apart["ari"]["mean"] > 0.6
    mixed = probe(*blobs(600, 0.0, 0), *blobs(300, 0.0, 1), seed=0, title="test")
    for name in ("logistic_regression", "knn"):
        assert mixed[name]["accuracy"] == pytest.approx(1 / 3, abs=0.12)
    assert mixed["nmi"]["mean"] < 0.05
    assert mixed["ari"]["mean"] < 0.05


def test_neighbours_find_what_no_line_parts() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, size=(1500, 2)).astype("float32")
    labels = ((points[:, 0] > 0) ^ (points[:, 1] > 0)).astype(np.uint8)
    figures = probe(points[:1000], labels[:1000], points[1000:], labels[1000:], seed=0, title="test")
    assert figures["logistic_regression"]["accuracy"] < 0.65
    assert figures["knn"]["accuracy"] > 0.95


def test_agreement_is_the_mean_over_ten_starts_with_its_standard_error() -> None:
    train, train_labels = blobs(300, 1.5, 0)
    test, labels = blobs(200, 1.5, 1)
    figures = probe(train, train_labels, test, labels, seed=4, title="test")
    for name, score in {"nmi": normalized_mutual_info_score, "ari": adjusted_rand_score}.items():
        states = np.random.SeedSequence(4).generate_state(10)
        scores = [score(labels, KMeans(3, random_state=int(s)).fit(train).predict(test)) for s in states]
        assert figures[name] == {
            "mean": pytest.approx(np.mean(scores)),
            "standard_error": pytest.approx(np.std(scores, ddof=1) / np.sqrt(10)),
        }
    assert figures["nmi"]["standard_error"] > 0


def test_principal_components_are_those_of_the_training_points() -> None:
    rng = np.random.default_rng(0)
    train, test = (rng.normal(size=(n, 30)) * np.arange(30, 0, -1) for n in (200, 50))
    first, second = principal_components(train, test, 10, seed=0)
    assert first.shape == (200, 10)
    covariance = np.cov(first.T)
    exact = PCA(svd_solver="full").fit(train)
    np.testing.assert_allclose(np.diag(covariance), exact.explained_variance_[:10], rtol=1e-3)
    np.testing.assert_allclose(np.abs(second), np.abs(exact.transform(test)[:, :10]), atol=0.05)
    np.testing.assert_array_equal(principal_components(train.reshape(200, 5, 6), test, 10, seed=0)[1], second)
    assert principal_components(train[:, :4], test[:, :4], 10, seed=0)[1].shape == (50, 4)


def test_summary_is_one_line() -> None:
    figures = probe(*blobs(60, 20.0, 0), *blobs(30, 20.0, 1), seed=0, title="test")
    assert summary(figures).startswith("logistic regression 1.0000, 5 nearest neighbours 1.0000, K-means NMI ")
    assert "\n" not in summary(figures)
