"""Every stage on small colour images without labels, of one class, and of classes of which one has a single image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dvc.repo import Repo

from benchmarks.stages import outputs, read_stages
from small_images import SIZES, STAGES, Labels, Run, run_stages

METRICS = {
    "embed": "latents",
    "baseline": "pixels",
    "classify": "classifier",
    "score": "frechet",
}
LEFT_OUT = {
    "embed": "The probes of the latent vectors are left out",
    "baseline": "The probes of the pixels are left out",
    "classify": "The classifier is left out",
    "score": "The Frechet distances in a classifier's features are left out",
    "visualize": "The 5-NN accuracy of the maps is left out",
}


def none(name: str, count: int) -> Labels:
    return None


def one(name: str, count: int) -> Labels:
    return np.zeros(count, np.uint8)


def lonely(name: str, count: int) -> Labels:
    """Return the labels of two classes and, in the training images only, of a third with a single image."""
    labels = np.arange(count, dtype=np.uint8) % 2
    labels[0] = 2 if name == "train" else 0
    return labels


CASES: dict[str, tuple[Callable[[str, int], Labels], list[str], str]] = {
    "no labels": (none, [], "the images have no labels"),
    "one class": (one, ["猫"], "all images are of one class"),
    "a class with a single image": (lonely, ["a", "b", "$c"], ""),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=CASES)
def run(root: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Run:
    """Return the outputs of all stages but `prepare`, whose outputs are written here."""
    labels_of, names, reason = CASES[request.param]
    labels = {name: labels_of(name, count) for name, count in SIZES.items()}
    return run_stages(root, tmp_path_factory.mktemp("unlabelled"), labels, names, reason)


def test_every_declared_output_exists(run: Run) -> None:
    stages = read_stages(run.path)
    for stage in STAGES:
        for name in outputs(stages[stage]):
            assert (run.path / name).stat().st_size > 0, name
            if name.endswith(".png"):
                assert (run.path / name).stat().st_size < 10**6


def test_what_needs_classes_is_left_out_with_one_line(run: Run) -> None:
    for stage in STAGES:
        lines = [line for line in run.printed[stage] if "left out" in line]
        details = run.read_json(f"details/{stage}") if stage != "train" else {}
        if run.reason and stage in LEFT_OUT:
            assert lines == [f"{LEFT_OUT[stage]}: {run.reason}."]
            assert details["left_out"] == lines[0]
        else:
            assert lines == []
            assert "left_out" not in details


def test_dvc_reads_the_metrics(run: Run) -> None:
    Repo.init(str(run.path), no_scm=True, force=True).close()
    with Repo(str(run.path)) as repo:
        data = repo.metrics.show()[""]["data"]
    assert all("error" not in file for file in data.values())
    for stage, name in METRICS.items():
        assert bool(data[f"reports/{name}.json"]["data"]) == (not run.reason), stage
    assert data["reports/metrics.json"]["data"]["loss"] > 0


def test_the_tables_have_classes_only_if_there_are_labels(run: Run) -> None:
    labelled = run.reason != "the images have no labels"
    embedding = pd.read_csv(run.path / "data/embeddings/test.csv")
    assert ("label" in embedding) == labelled
    assert len(embedding) == SIZES["test"]
    for name in ("images", "latents"):
        table = pd.read_csv(run.path / f"reports/tsne_{name}.csv")
        assert list(table) == ["x", "y", *(["label", "class"] if labelled else [])]
        assert len(table) == sum(SIZES.values())


def test_the_perplexity_is_lowered_to_what_few_images_allow(run: Run) -> None:
    lines = [line for line in run.printed["visualize"] if "perplexity" in line]
    assert lines == ["visualize.perplexity is 30, but 60 points allow at most 19.6667, so the maps use that."]


def test_the_mixture_has_no_more_components_than_images(run: Run) -> None:
    lines = [line for line in run.printed["score"] if "mixture_components" in line]
    expected = "score.mixture_components is 50, but 40 training images have room for only 40."
    assert lines == ([] if run.reason else [expected])


def test_there_is_a_classifier_only_where_there_are_classes(run: Run) -> None:
    content = (run.path / "models/classifier.keras").read_bytes()
    assert content.startswith(b"PK" if not run.reason else b"The classifier is left out: ")
