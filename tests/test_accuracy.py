import numpy as np
import pytest

from vae.accuracy import accuracy


def test_accuracy_is_the_share_of_right_predictions_with_its_binomial_error() -> None:
    found = accuracy(np.array([0, 1, 2, 3, 4]), np.array([0, 1, 2, 3, 9], np.uint8))
    assert found == {"accuracy": 0.8, "standard_error": pytest.approx(np.sqrt(0.8 * 0.2 / 5)), "images": 5}


def test_standard_error_is_the_deviation_of_accuracies_measured_anew() -> None:
    rng = np.random.default_rng(0)
    right = np.zeros(500, int)
    found = [accuracy(rng.binomial(1, 0.1, 500), right) for _ in range(400)]
    deviation = np.std([figure["accuracy"] for figure in found])
    assert np.mean([figure["standard_error"] for figure in found]) == pytest.approx(deviation, rel=0.15)


@pytest.mark.parametrize(("predicted", "labels"), [((3,), (4,)), ((0,), (0,)), ((3, 1), (3, 1)), ((3, 1), (3,))])
def test_what_cannot_be_compared_is_refused(predicted: tuple[int, ...], labels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be vectors of one length"):
        accuracy(np.zeros(predicted, int), np.zeros(labels, int))
