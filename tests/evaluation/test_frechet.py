import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from vae.errors import InputError
from vae.evaluation.frechet import compare, frechet_distance, standard_error

Sets = tuple[NDArray[np.float64], NDArray[np.float64]]


def sample(mean: NDArray[np.float64], covariance: NDArray[np.float64], count: int = 200) -> NDArray[np.float64]:
    """Return vectors (count, d) with exactly this mean and this covariance."""
    x = np.random.default_rng(0).normal(size=(count, len(mean)))
    x -= x.mean(axis=0)
    whitened = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False).reshape(len(mean), -1))).T
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(whitened @ (vectors * np.sqrt(values.clip(min=0))).T + mean)


def correlated(seed: int, dimensions: int = 6) -> NDArray[np.float64]:
    factor = np.random.default_rng(seed).normal(size=(dimensions, dimensions))
    return np.asarray(factor @ factor.T)


@pytest.fixture
def sets() -> Sets:
    return sample(np.arange(6.0), correlated(1)), sample(np.ones(6), correlated(2), 300)


def test_one_dimension_gives_the_distance_of_means_and_deviations() -> None:
    first, second = sample(np.array([1.0]), np.array([[4.0]])), sample(np.array([4.0]), np.array([[25.0]]))
    assert frechet_distance(first, second) == pytest.approx((4 - 1) ** 2 + (5 - 2) ** 2)


def test_independent_dimensions_add_up() -> None:
    means = np.array([0.0, 1.0, 2.0]), np.array([3.0, 1.0, 0.0])
    deviations = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.5])
    first, second = (sample(mean, np.diag(std**2)) for mean, std in zip(means, deviations, strict=True))
    expected = np.sum((means[0] - means[1]) ** 2 + (deviations[0] - deviations[1]) ** 2)
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_distance_matches_the_published_formula(sets: Sets) -> None:
    covariances = [np.cov(x, rowvar=False) for x in sets]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    shift = np.sum((sets[0].mean(axis=0) - sets[1].mean(axis=0)) ** 2)
    expected = shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-9)


def test_distance_is_zero_between_equal_sets_in_any_order(sets: Sets) -> None:
    assert frechet_distance(sets[0], sets[0]) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(sets[0], sets[0][::-1]) == pytest.approx(0, abs=1e-10)


def test_distance_is_symmetric(sets: Sets) -> None:
    assert frechet_distance(*sets) == pytest.approx(frechet_distance(*sets[::-1]), rel=1e-12)


def test_rotating_and_shifting_both_sets_changes_nothing(sets: Sets) -> None:
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    first, second = (x @ rotation + 7 for x in sets)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(*sets), rel=1e-9)


def test_distance_grows_with_the_square_of_the_scale(sets: Sets) -> None:
    assert frechet_distance(3 * sets[0], 3 * sets[1]) == pytest.approx(9 * frechet_distance(*sets))


def test_singular_covariances_are_accepted() -> None:
    first = sample(np.zeros(3), np.diag([4.0, 1.0, 1.0])) * [1, 1, 0]
    second = sample(np.zeros(3), np.diag([1.0, 1.0, 9.0])) * [1, 0, 1]
    assert frechet_distance(first, second) == pytest.approx((2 - 1) ** 2 + 1**2 + 3**2)
    few = np.random.default_rng(0).normal(size=(5, 40)).astype("float32")  # fewer vectors than dimensions
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(few, few + 1) == pytest.approx(40, rel=1e-5)


def test_sums_are_taken_in_float64() -> None:
    x = np.random.default_rng(0).normal(size=(20_000, 2)).astype("float32")
    far = (x + 1000).astype("float32")
    assert frechet_distance(far, far[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + np.float32(0.5)) == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("first", "second"), [((10, 3), (10, 4)), ((10,), (10,)), ((1, 3), (10, 3)), ((10, 3), (0, 3)), ((2, 3, 4), (2, 3))]
)
def test_wrong_shapes_are_refused(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 2 vectors of equal length"):
        frechet_distance(np.zeros(first), np.zeros(second))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_features_are_refused(value: float) -> None:
    good, bad = np.zeros((4, 3)), np.zeros((4, 3))
    bad[1, 2] = value
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            frechet_distance(*pair)


def test_standard_error_matches_the_formula_for_a_shifted_mean() -> None:
    # d² is about delta², for a shift delta of the mean that is estimated with variance 2/n: its deviation is
    # 2 delta sqrt(2/n).
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(500, 1)), rng.normal(size=(500, 1)) + 5
    assert standard_error(first, second, paired=False, seed=0) == pytest.approx(10 * np.sqrt(2 / 500), rel=0.25)


def test_pairs_are_resampled_together() -> None:
    first = np.random.default_rng(0).normal(size=(500, 2))
    shifted = first + 5
    assert standard_error(first, shifted, paired=True, seed=0) == pytest.approx(0, abs=1e-9)
    assert standard_error(first, shifted, paired=False, seed=0) > 0.5
    with pytest.raises(ValueError, match="500 and 499 rows cannot be paired"):
        standard_error(first, shifted[:-1], paired=True, seed=0)


def test_resamples_depend_only_on_the_seed(sets: Sets) -> None:
    first, same, other = (standard_error(*sets, paired=False, seed=seed) for seed in (0, 0, 1))
    assert first == same != other


@pytest.fixture
def reference() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(50, 2)).astype("float32")


def test_comparison_reports_each_set_in_units_of_the_total_variance(reference: NDArray[np.float32]) -> None:
    sets = {"near": reference + np.float32(1), "far": np.flip(reference, 0) + np.float32(2)}
    scores = compare(reference, sets, paired={"near"}, seed=0)
    unit = np.trace(np.cov(reference, rowvar=False))
    errors = {
        name: pytest.approx(standard_error(reference, x, paired=name == "near", seed=0) / unit)
        for name, x in sets.items()
    }
    distances = {"near": pytest.approx(2 / unit, rel=1e-5), "far": pytest.approx(8 / unit, rel=1e-5)}
    assert scores == {"frechet": {**distances, "standard_error": errors}, "images": 50, "features": 2}
    found = scores["frechet"]["standard_error"]
    assert found["near"] < 1e-5 < found["far"]


def test_comparison_does_not_depend_on_the_scale_of_the_features(reference: NDArray[np.float32]) -> None:
    far = np.flip(reference, 0) + np.float32(2)
    scores = compare(reference, {"far": far}, paired=set(), seed=0)
    larger = compare(7 * reference, {"far": 7 * far}, paired=set(), seed=0)
    assert larger["frechet"]["far"] == pytest.approx(scores["frechet"]["far"], rel=1e-5)


def test_comparison_refuses_sets_of_other_sizes(reference: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"'near' has the shape \(49, 2\), not the reference's \(50, 2\)"):
        compare(reference, {"near": reference[:49]}, paired=set(), seed=0)


@pytest.mark.parametrize("spread", [0, 1e-8, 1e-7], ids=str)
def test_comparison_refuses_features_that_do_not_vary_beyond_rounding(
    reference: NDArray[np.float32], spread: float
) -> None:
    same = (0.1 + spread * reference).astype("float32")
    with pytest.raises(InputError, match=r"^the classifier's features are the same for all test images: "):
        compare(same, {"prior": same}, paired=set(), seed=0)


def test_comparison_of_a_single_image_is_refused(reference: NDArray[np.float32]) -> None:
    with pytest.raises(InputError) as refused:
        compare(reference[:1], {"prior": reference[:1]}, paired=set(), seed=0)
    assert str(refused.value) == "the Fréchet distance needs at least two test images and two training images."
