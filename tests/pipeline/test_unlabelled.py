"""Every stage on small colour images without labels, of one class, and of classes of which one has a single image."""

import importlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo
from numpy.typing import NDArray

from benchmarks.stages import outputs, read_stages
from vae.data import shards
from vae.data.shards import save_split, shard_paths
from vae.data.splits import Split

STAGES = ("train", "evaluate", "embed", "visualize", "baseline", "classify", "score")
SHAPE, SIZES = (12, 20, 3), {"train": 40, "validation": 8, "test": 12}
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
CHANGES = {
    "train": {"epochs": 2, "batch_size": 20},
    "model": {"latent_dim": 3},
    "evaluate": {"samples": 2},
    "classify": {"epochs": 2},
    "visualize": {"prior_samples": 9},
    "score": {"mixture_components": 50},
}
Labels = NDArray[np.uint8] | None


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


class Run:
    """The outputs of all stages in a folder, and what each printed."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        self.printed: dict[str, list[str]] = {}

    def read_json(self, name: str) -> Any:
        return json.loads((self.path / f"reports/{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=CASES)
def run(root: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Run:
    return run_stages(root, tmp_path_factory.mktemp("unlabelled"), request.param)


def run_stages(root: Path, path: Path, case: str, stages: Sequence[str] = STAGES) -> Run:
    """Return the outputs of some stages. Those of `prepare` are written here."""
    labels_of, names, reason = CASES[case]
    run = Run(path, reason)
    for file in ("dvc.yaml", "data/random_weights.txt"):
        (run.path / file).parent.mkdir(exist_ok=True)
        shutil.copy(root / file, run.path / file)
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    for section, changes in CHANGES.items():
        params[section] |= changes
    (run.path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    rng = np.random.default_rng(0)
    for name, count in SIZES.items():
        images = rng.uniform(size=(count, 1, 1, 3)) * rng.uniform(0.5, 1, (count, *SHAPE))
        split = Split(images.astype(np.float32), labels_of(name, count), np.array(names, np.str_))
        save_split(run.path / f"data/prepared/{name}.npz", *split)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(run.path)
        patch.syspath_prepend(root / "src")
        for stage in stages:
            with redirect_stdout(StringIO()) as printed:
                importlib.import_module(stage).main()
            run.printed[stage] = printed.getvalue().splitlines()
    return run


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
    assert lines == ["visualize.perplexity is 30, but 60 points have room for 19.6667, which the maps use."]


def test_the_mixture_has_no_more_components_than_images(run: Run) -> None:
    lines = [line for line in run.printed["score"] if "mixture_components" in line]
    expected = "score.mixture_components is 50, but 40 training images have room for only 40."
    assert lines == ([] if run.reason else [expected])


def test_there_is_a_classifier_only_where_there_are_classes(run: Run) -> None:
    content = (run.path / "models/classifier.keras").read_bytes()
    assert content.startswith(b"PK" if not run.reason else b"The classifier is left out: ")


@pytest.mark.parametrize("run", ["a class with a single image"], indirect=True)
def test_the_stages_after_train_make_the_same_from_shards(
    run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With the models of the run, since those trained on batches from files differ in rounding, by about 1e-7.
    shutil.copytree(run.path / "models", tmp_path / "models")
    shutil.copytree(run.path / "reports", tmp_path / "reports")
    monkeypatch.setattr(shards, "MAX_BYTES", 4 * 7 * int(np.prod(SHAPE)))
    case, names = "a class with a single image", ("evaluate", "embed", "visualize", "baseline", "score", "classify")
    run_stages(root, tmp_path, case, names)
    assert [len(shard_paths(tmp_path / f"data/prepared/{name}.npz")) for name in SIZES] == [6, 2, 2]
    assert [len(shard_paths(run.path / f"data/prepared/{name}.npz")) for name in SIZES] == [1, 1, 1]
    stages = read_stages(tmp_path)
    for name in (name for stage in names if stage != "classify" for name in outputs(stages[stage])):
        assert (tmp_path / name).read_bytes() == (run.path / name).read_bytes(), name
    found, expected = (
        json.loads((path / "reports/details/classify.json").read_text())["classifier"] for path in (tmp_path, run.path)
    )
    assert found["accuracy"] == pytest.approx(expected["accuracy"], abs=0.1)
    assert found["images"] == expected["images"]


@pytest.mark.parametrize("run", ["a class with a single image"], indirect=True)
def test_many_images_are_probed_and_compared_in_part(
    run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("models", "data/embeddings"):
        shutil.copytree(run.path / folder, tmp_path / folder)
    monkeypatch.setattr("vae.evaluation.probes.MAX_VALUES", 20 * int(np.prod(SHAPE)))
    monkeypatch.syspath_prepend(root / "src")
    monkeypatch.setattr("score.MAX_VALUES", 10 * int(np.prod(SHAPE)))
    monkeypatch.setattr("score.MAX_FITTED", 30)
    part = run_stages(root, tmp_path, "a class with a single image", ("baseline", "score"))
    assert (
        "pixels: the probes use 20 of 40 training images, drawn at random, and 12 of 12 test images"
        in (part.printed["baseline"])
    )
    for results in part.read_json("details/baseline").values():
        assert results["images"] == {"train": 20, "test": 12}
    assert part.printed["score"][:3] == [
        "score.mixture_components is 50, but 30 training images have room for only 30.",
        "fitting 30 Gaussians to one z ~ q(z|x) for each of 30 of 40 training images",
        "Frechet distance between 10 of 12 test images and 10 images of each kind",
    ]
    assert part.read_json("details/score")["images"] == 10
