import numpy as np
import pytest

from vae.errors import InputError
from vae.evaluation.accuracy import accuracy, check_classes, has_classes


def test_accuracy_is_the_share_of_correct_predictions_with_its_binomial_error() -> None:
    result = accuracy(np.array([0, 1, 2, 3, 4]), np.array([0, 1, 2, 3, 9], np.uint8))
    assert result == {"accuracy": 0.8, "standard_error": pytest.approx(np.sqrt(0.8 * 0.2 / 5)), "images": 5}


def test_standard_error_is_the_deviation_of_repeated_measurements() -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros(500, int)
    results = [accuracy(rng.binomial(1, 0.1, 500), labels) for _ in range(400)]
    deviation = np.std([result["accuracy"] for result in results])
    assert np.mean([result["standard_error"] for result in results]) == pytest.approx(deviation, rel=0.15)


@pytest.mark.parametrize(("predicted", "labels"), [((3,), (4,)), ((0,), (0,)), ((3, 1), (3, 1)), ((3, 1), (3,))])
def test_arrays_that_cannot_be_compared_are_refused(predicted: tuple[int, ...], labels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be vectors of equal length"):
        accuracy(np.zeros(predicted, int), np.zeros(labels, int))


def test_classes_are_counted_among_the_labels() -> None:
    assert has_classes(np.array([300, 300, 7], np.uint16))
    assert not has_classes(np.array([3, 3], np.uint8))
    assert not has_classes(None)
    check_classes(np.array([0, 1], np.uint8))
    with pytest.raises(InputError) as refused:
        check_classes(np.array([5, 5, 5], np.uint8))
    assert str(refused.value) == "the training images are all of one class, but at least two classes are needed."
