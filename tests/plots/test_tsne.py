import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from vae.errors import InputError
from vae.plots.tsne import fitting_perplexity, fitting_points, to_table, tsne


@pytest.mark.slow
def test_map_separates_clusters_that_the_first_two_coordinates_do_not() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 75)
    points = rng.normal(size=(300, 10)).astype("float32")
    points[:, 2:6] += 8 * np.eye(4)[labels]

    def accuracy(plane: NDArray[np.floating]) -> float:
        half = rng.permutation(300)
        neighbours = KNeighborsClassifier(5).fit(plane[half[:150]], labels[half[:150]])
        return float(neighbours.score(plane[half[150:]], labels[half[150:]]))

    assert accuracy(points[:, :2]) < 0.5
    places = tsne(points, perplexity=30, seed=0, title="test")
    assert places.shape == (300, 2)
    assert accuracy(places) > 0.95


@pytest.mark.parametrize("dimensions", [1, 5])
def test_same_seed_gives_the_same_map(dimensions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vae.plots.tsne.EARLY_ITERATIONS", 50)
    monkeypatch.setattr("vae.plots.tsne.ITERATIONS", 50)
    points = np.random.default_rng(0).normal(size=(1200, dimensions)).astype("float32")
    # From 1,000 points on, the search for neighbours is approximate and needs the seed.
    first, second = (tsne(points, perplexity=5, seed=1, title="test") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_many_dimensions_are_reduced_to_50_principal_components() -> None:
    points = (np.random.default_rng(0).normal(size=(120, 80)) * np.arange(80, 0, -1)).astype("float32")
    components = PCA(50).fit_transform(points)
    of_points, of_components = (tsne(p, perplexity=5, seed=1, title="test") for p in (points, components))
    np.testing.assert_array_equal(of_points, of_components)


def test_table_has_one_row_per_point() -> None:
    table = to_table(np.array([[1.23456, -2.0], [3.0, 4.0]]), np.array([1, 0]), np.array(["bag", "coat"]))
    assert table.to_dict("list") == {"x": [1.235, 3.0], "y": [-2.0, 4.0], "label": [1, 0], "class": ["coat", "bag"]}


def test_a_table_without_labels_has_only_places() -> None:
    table = to_table(np.array([[1.23456, -2.0]]), None, np.array([], str))
    assert table.to_dict("list") == {"x": [1.235], "y": [-2.0]}


@pytest.mark.parametrize(("count", "perplexity"), [(91, 30), (1000, 30), (90, 89 / 3), (7, 2)])
def test_the_perplexity_is_lowered_to_what_the_points_allow(count: int, perplexity: float) -> None:
    assert fitting_perplexity(30, count) == perplexity


@pytest.mark.parametrize(
    ("points", "images", "shape", "count", "lines"),
    [
        (10_000, 70_000, (28, 28, 1), 10_000, []),
        (100_000, 40_000, (28, 28, 1), 40_000, []),
        (100, 5000, (256, 256, 3), 100, []),
        (10_000, 2000, (64, 64, 3), 2000, []),
        (9999, 6000, (64, 64, 3), 2730, ["9999, but a map has room for 2,730 images of 64x64x3."]),
    ],
)
def test_a_map_has_room_for_fewer_large_images(
    points: int,
    images: int,
    shape: tuple[int, int, int],
    count: int,
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fitting_points(points, images, shape) == count
    assert capsys.readouterr().out.splitlines() == [f"visualize.tsne_points is {line}" for line in lines]


def test_too_few_points_for_any_map_are_refused() -> None:
    with pytest.raises(InputError, match=r"^there are 6 images, but a t-SNE map needs at least 7\.$"):
        fitting_perplexity(2, 6)


def test_seven_points_have_a_map() -> None:
    points = np.random.default_rng(0).normal(size=(7, 80)).astype("float32")
    assert np.isfinite(tsne(points, perplexity=2, seed=0, title="test")).all()


def test_too_few_points_for_the_perplexity_are_refused() -> None:
    points = np.zeros((90, 2), "float32")
    with pytest.raises(
        InputError, match=r"^visualize\.perplexity is 30, but must be at most 29\.6667, since there are 90 points\.$"
    ):
        tsne(points, perplexity=30, seed=0, title="test")


@pytest.mark.parametrize("dimensions", [2, 80])
def test_equal_points_are_refused(dimensions: int) -> None:
    with pytest.raises(InputError, match=r"^latents: all 90 points are equal, so there is no map of them: "):
        tsne(np.full((90, dimensions), 0.1, "float32"), perplexity=5, seed=0, title="latents")


NOISE = np.random.default_rng(0).normal(size=(120, 5))
NEARLY_EQUAL = {
    "close": 1 + 1e-8 * NOISE,
    "closer than the search for neighbours can tell": 1 + 1e-7 * NOISE,
    "close, on several scales": np.array([1, 1e6, -1e-3, 0, 1e-30]) * (1 + 1e-8 * NOISE),
    "close enough for openTSNE to divide by zero with 1,500 points": 1 + 1e-6 * NOISE,
    "tiny": 1e-30 * NOISE,
    "below the smallest normal number": 1e-40 * NOISE,
    "80 dimensions": 1e-30 * np.random.default_rng(0).normal(size=(120, 80)),
}


@pytest.mark.parametrize("points", NEARLY_EQUAL.values(), ids=NEARLY_EQUAL)
def test_points_that_are_equal_up_to_rounding_are_refused(points: NDArray[np.float64]) -> None:
    with pytest.raises(InputError, match=r"^latents: all 120 points are equal up to rounding, so there is no map "):
        tsne(points.astype("float32"), perplexity=5, seed=0, title="latents")


@pytest.mark.parametrize("value", [1e18, 3e38, np.inf, np.nan])
def test_points_too_large_for_distances_are_refused(value: float) -> None:
    points = NOISE.astype("float32")
    points[7, 3] = value
    with pytest.raises(
        InputError, match=r"^latents: a value is .*, but a map needs values up to 1e\+15: if the model "
    ):
        tsne(points, perplexity=5, seed=0, title="latents")


def with_value(place: tuple[slice, ...] | int, value: float) -> NDArray[np.float64]:
    """Return `NOISE` with that value in that place."""
    points = NOISE.copy()
    points[place] = value
    return points


UNUSUAL = {
    "close": 1 + 1e-5 * NOISE,
    "small": 1e-12 * NOISE,
    "large": 1e14 * NOISE,
    "one far": with_value(0, 1e10),
    "half equal": with_value(np.s_[:60,], 0.5),
    "one dimension varies": with_value(np.s_[:, 1:], 0.5),
    "next to a large constant": with_value(np.s_[:, :1], 1e6),
}


@pytest.mark.parametrize("points", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_points_have_a_map(points: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vae.plots.tsne.EARLY_ITERATIONS", 50)
    monkeypatch.setattr("vae.plots.tsne.ITERATIONS", 50)
    places = tsne(points.astype("float32"), perplexity=5, seed=0, title="latents")
    assert np.isfinite(places).all()
    assert places.std() > 0.1
