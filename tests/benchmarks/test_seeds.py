import numpy as np
import pytest

from benchmarks.seeds import flatten, table


def test_metrics_are_named_by_their_place_without_standard_errors_and_counts() -> None:
    metrics = {
        "grey": {"loss": 100.0, "standard_error": {"loss": 0.3}},
        "latents": {"knn": {"accuracy": 0.9, "standard_error": 0.01, "images": 10}},
        "maps": {"images": {"trustworthiness": {"input": {"value": 0.8, "standard_error": 0.02}}}},
        "images": 10,
    }
    assert flatten(metrics) == {
        "grey.loss": 100.0,
        "latents.knn.accuracy": 0.9,
        "maps.images.trustworthiness.input.value": 0.8,
    }


def test_the_table_lists_every_seed_with_the_mean_and_its_standard_error() -> None:
    results = table({seed: {"grey": {"loss": loss}, "units": 7} for seed, loss in {1: 3.0, 2: 5.0, 3: 10.0}.items()})
    assert list(results.columns) == ["metric", "seed 1", "seed 2", "seed 3", "mean", "standard_error"]
    loss, units = results.to_dict("records")
    assert loss["metric"] == "grey.loss"
    assert (loss["seed 1"], loss["seed 3"], loss["mean"]) == (3.0, 10.0, 6.0)
    assert loss["standard_error"] == pytest.approx(np.std([3, 5, 10], ddof=1) / np.sqrt(3))
    assert (units["mean"], units["standard_error"]) == (7, 0)
