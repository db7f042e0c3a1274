import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from vae.data.splits import Split
from vae.errors import InputError
from vae.evaluation import probes
from vae.evaluation.probes import largest_part, parts_to_probe, principal_components, probe, summary


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


def test_clusters_are_left_out_where_the_test_points_are_of_one_class() -> None:
    train, labels = clusters(200, 20.0, 0)
    test, test_labels = clusters(100, 20.0, 1)
    one = test[test_labels == 2]
    results = probe(train, labels, one, np.full(len(one), 2, np.uint8), seed=0, title="test")
    assert set(results) == {"logistic_regression", "knn", "left_out"}
    assert results["left_out"] == "NMI and ARI are left out: all test images are of one class."
    assert summary(results) == f"logistic regression 1.0000, 5 nearest neighbours 1.0000; {results['left_out']}"


def test_results_in_the_span_of_few_points_are_those_of_all_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    centers, labels = rng.normal(size=(8, 100)), np.arange(60) % 8
    train, test = ((centers[labels] + 4 * rng.normal(size=(60, 100))).astype("float32") for _ in range(2))
    found = probe(train, labels, test, labels, seed=0, title="test")
    monkeypatch.setattr(probes, "BASIS", 0)
    expected = probe(train, labels, test, labels, seed=0, title="test")
    assert 0.2 < expected["knn"]["accuracy"] < 0.9
    for name, values in expected.items():
        assert found[name] == pytest.approx(values)


LARGEST = [
    ((784, 10), 85_598),  # MNIST has 55,000 training images
    ((64 * 64 * 3, 10), 5461),
    ((64 * 64 * 3, 1000), 1036),
    ((256 * 256 * 3, 10), 341),
    ((784, 5000), 1170),
    ((10, 10), 200_000),
    ((10, 1000), 16_777),
    ((10, 65_536), 4096),
]


@pytest.mark.parametrize(("size", "count"), LARGEST, ids=str)
def test_the_largest_part_stays_within_every_limit_and_touches_one(size: tuple[int, int], count: int) -> None:
    values, classes = size
    assert largest_part(values, classes) == count

    def within(n: int) -> bool:
        products, scores = n * min(n, values) * min(n, classes), n * min(n, classes)
        return products <= 2**30 and scores <= 2**24 and n * values <= 2**26 and n <= 200_000

    assert within(count)
    assert not within(count + 1)


def test_large_splits_are_probed_in_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (points, labels), names = clusters(90, 1.0, 0), np.array(["a", "b", "c"])
    train, test = Split(points[:60], labels[:60], names), Split(points[60:], labels[60:], names)
    found = parts_to_probe(train, test, 0, "latents")
    assert found[2] == {}
    assert capsys.readouterr().out == ""
    for part, split in zip(found[:2], (train, test), strict=True):
        np.testing.assert_array_equal(part.images[:], split.images[:])
    monkeypatch.setattr(probes, "MAX_VALUES", 4 * 40)
    first, second, numbers = parts_to_probe(train, test, 0, "latents")
    assert numbers == {"images": {"train": 40, "test": 30}}
    assert capsys.readouterr().out == (
        "latents: the probes use 40 of 60 training images, drawn at random, and 30 of 30 test images\n"
    )
    rows = [int(np.flatnonzero((points == point).all(axis=1))[0]) for point in first.images[:]]
    assert len(set(rows)) == 40
    np.testing.assert_array_equal(first.known_labels, labels[rows])
    assert len(second.images) == 30


def test_more_than_half_as_many_classes_as_points_bring_no_warning() -> None:
    points, _ = clusters(30, 1.0, 0)
    labels = np.arange(30, dtype=np.uint16) // 2 * (np.arange(30) > 3)
    labels[:16] = np.arange(16)
    results = probe(points, labels, points, labels, seed=0, title="test")
    assert 0 < results["knn"]["accuracy"] < 1


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
