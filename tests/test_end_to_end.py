"""The real stages, run by DVC on a few hundred real images in a repository of their own; every output opened."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from repository import Repository

PARAMS = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
STAGES = ("prepare", "train", "evaluate", "embed", "visualize", "baseline", "classify", "score")
PICTURES = (
    "interpolations",
    "kl_per_dimension",
    "losses",
    "manifold",
    "prior_samples",
    "reconstructions",
    "training_curves",
    "traversals",
    "tsne",
)

pytestmark = pytest.mark.slow


def test_prepared_images_are_normalized_and_split(repository: Repository) -> None:
    sizes = {}
    for name in ("train", "validation", "test"):
        with np.load(repository.path / f"data/prepared/{name}.npz") as split:
            images, labels = split["images"], split["labels"]
        assert images.dtype == np.float32
        assert images.shape == (len(labels), 28, 28, 1)
        assert (images.min(), images.max()) == (0, 1)
        assert set(labels) == set(range(10))
        sizes[name] = len(labels)
    assert sizes == {"train": 500, "validation": 100, "test": 100}


def test_history_and_metrics_agree_with_each_other(repository: Repository) -> None:
    history = pd.read_csv(repository.path / "reports/history.csv")
    assert history.epoch.tolist() == [1, 2]
    assert "seconds" not in history  # they would make each run another
    assert history.loss[1] < history.loss[0] < 784 * np.log(2)
    metrics = read(repository, "metrics")
    assert metrics["grey"]["loss"] == pytest.approx(metrics["grey"]["reconstruction"] + metrics["grey"]["kl"])
    assert metrics["grey"]["loss"] == pytest.approx(history.val_loss.min(), rel=0.1)
    assert (metrics["grey"]["images"], metrics["grey"]["samples"]) == (100, 2)
    shown = json.loads(repository.dvc("metrics", "show", "--json"))[""]["data"]
    assert shown["reports/metrics.json"]["data"] == metrics
    assert set(shown) == {
        f"reports/{name}.json" for name in ("metrics", "latents", "maps", "baselines", "classification", "frechet")
    }


def read(repository: Repository, name: str) -> Any:
    return json.loads((repository.path / f"reports/{name}.json").read_text(encoding="utf-8"))


def test_bounds_of_both_protocols_lie_above_the_entropy_and_tighten(repository: Repository) -> None:
    metrics = read(repository, "metrics")
    for protocol in ("grey", "binarized"):
        figures = metrics[protocol]
        assert metrics["grey"]["entropy"] == figures["entropy"]
        assert 0 < figures["entropy"] < figures["importance_weighted"] < figures["loss"]
        measured = {"loss", "reconstruction", "kl", "importance_weighted", "entropy"}
        assert set(figures["standard_error"]) == measured == set(figures) & measured
    assert metrics["binarized"]["loss"] != metrics["grey"]["loss"]
    with np.load(repository.path / "data/evaluation/test.npz") as losses:
        assert metrics["grey"]["kl"] == pytest.approx(losses["kl"].mean())
        assert metrics["grey"]["importance_weighted"] == pytest.approx(losses["importance_weighted"].mean())


def test_the_rate_is_taken_apart(repository: Repository) -> None:
    metrics = read(repository, "metrics")
    posterior, kl = metrics["posterior"], metrics["grey"]["kl"]
    assert posterior["mutual_information"] + posterior["marginal_kl"] == pytest.approx(kl, rel=1e-4)
    assert posterior["log_images"] == pytest.approx(np.log(100))
    table = pd.read_csv(repository.path / "reports/kl_per_dimension.csv")
    assert table.active.sum() == posterior["active_units"]
    assert table.kl.sum() == pytest.approx(kl, rel=1e-4)
    assert sorted(table.dimension) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["latents", "pixels", "principal_components"])
def test_probes_tell_the_classes_apart_better_than_chance(repository: Repository, name: str) -> None:
    figures = (read(repository, "latents") | read(repository, "baselines"))[name]
    for classifier in ("logistic_regression", "knn"):
        assert 0.3 < figures[classifier]["accuracy"] < 1
    for agreement in ("nmi", "ari"):
        assert 0.05 < figures[agreement]["mean"] < 1


def test_maps_are_assessed(repository: Repository) -> None:
    maps = read(repository, "maps")["maps"]
    for figures in maps.values():
        assert figures["knn"]["images"] == 80
        assert 0.1 < figures["knn"]["accuracy"] < 1
        assert 0.5 < figures["trustworthiness"]["pixels"]["value"] < 1
    assert maps["images"]["trustworthiness"]["input"] == maps["images"]["trustworthiness"]["pixels"]
    assert maps["latents"]["trustworthiness"]["input"] != maps["latents"]["trustworthiness"]["pixels"]


def test_classifier_learns_and_its_error_is_binomial(repository: Repository) -> None:
    figure = read(repository, "classification")["classifier"]
    accuracy = figure["accuracy"]
    assert 0.7 < accuracy < 1
    assert figure["standard_error"] == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 100))
    assert figure["images"] == 100


def test_training_images_are_nearer_to_the_test_images_than_generated_ones(repository: Repository) -> None:
    scores = read(repository, "frechet")
    assert (scores["images"], scores["features"]) == (100, 64)
    errors = scores["frechet"].pop("standard_error")
    assert set(errors) == set(scores["frechet"]) == {"prior", "reconstruction", "mixture", "train"}
    for name in ("prior", "reconstruction", "mixture"):
        assert 0 < scores["frechet"]["train"] < scores["frechet"][name]
        assert 0 < errors[name] < scores["frechet"][name]


def test_every_image_is_embedded(repository: Repository) -> None:
    for name, count in {"train": 500, "validation": 100, "test": 100}.items():
        with np.load(repository.path / f"data/embeddings/{name}.npz") as embedding:
            assert embedding["z_mean"].shape == embedding["z_log_var"].shape == (count, 4)
            assert np.isfinite(embedding["z_mean"]).all()
            assert len(embedding["labels"]) == count
    table = pd.read_csv(repository.path / "data/embeddings/test.csv")
    with np.load(repository.path / "data/embeddings/test.npz") as embedding:
        np.testing.assert_allclose(table.filter(like="z_mean"), embedding["z_mean"], rtol=1e-6)
        np.testing.assert_array_equal(table.label, embedding["labels"])


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_open_and_are_not_blank(repository: Repository, name: str) -> None:
    path = repository.path / f"reports/{name}.png"
    assert path.stat().st_size < 10**6
    with Image.open(path) as picture:
        assert min(picture.size) > 300
        assert np.asarray(picture.convert("L")).std() > 5


def test_losses_of_the_images_are_those_of_the_figures(repository: Repository) -> None:
    loss = read(repository, "metrics")["grey"]["loss"]
    with np.load(repository.path / "data/evaluation/test.npz") as terms:
        assert (terms["reconstruction"] + terms["kl"]).mean() == pytest.approx(loss, rel=1e-9)
    bins = pd.read_csv(repository.path / "reports/loss_histogram.csv")
    assert bins.images.sum() == 100
    assert np.average(bins.loss, weights=bins.images) == pytest.approx(loss, rel=0.05)


@pytest.mark.parametrize("name", ["images", "latents"])
def test_maps_have_a_row_a_point(repository: Repository, name: str) -> None:
    table = pd.read_csv(repository.path / f"reports/tsne_{name}.csv")
    assert list(table.columns) == ["x", "y", "label", "class"]
    assert len(table) == 80
    with np.load(repository.path / "data/prepared/test.npz") as split:
        assert table.label.tolist() == split["labels"][:80].tolist()


def test_nothing_reruns_when_nothing_changed(repository: Repository) -> None:
    output = repository.dvc("repro")
    assert "Running stage" not in output
    assert "up to date" in output


def test_nothing_that_tensorflow_says_of_itself_is_printed(repository: Repository) -> None:
    for noise in ("absl", "cuda", "oneDNN", "Warning", "Traceback"):
        assert noise not in repository.output


def test_an_experiment_reruns_what_it_changes(compared: Repository) -> None:
    assert run_in(compared.output) == ["train", "evaluate", "embed", "visualize", "score"]
    assert "slow" in compared.dvc("exp", "show", "--csv")


def test_an_experiment_can_be_compared(compared: Repository) -> None:
    shown = json.loads(compared.dvc("params", "diff", "--json"))
    difference = {"old": 0.005, "new": 0.001, "diff": pytest.approx(-0.004)}
    assert shown == {"params.yaml": {"train.learning_rate": difference}}
    difference = json.loads(compared.dvc("metrics", "diff", "--json"))["reports/metrics.json"]
    assert difference["grey.loss"]["diff"] > 0
    # each plot has the points of both, told apart
    compared.dvc("plots", "diff")
    page = (compared.path / "dvc_plots/index.html").read_text(encoding="utf-8")
    for revision in ("HEAD", "workspace"):
        assert page.count(f'"rev": "{revision}"') >= 2 * 80


def test_the_former_value_brings_the_former_outputs_back(compared: Repository, tmp_path: Path) -> None:
    copy = compared.copy(tmp_path / "repository")
    assert copy.run("git", "status", "--porcelain", "reports", "dvc.lock") != ""
    copy.change({"train": {"learning_rate": 0.005}})
    assert run_in(copy.dvc("repro")) == []
    assert copy.run("git", "status", "--porcelain") == ""


def run_in(output: str) -> list[str]:
    """The stages that were run, not skipped nor restored from the cache."""
    return [stage for stage in STAGES if f"Running stage '{stage}'" in output]


def test_the_notebook_lines_of_the_readme_run(repository: Repository) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (repository.path / "README.md").read_text(encoding="utf-8"), re.S)
    script = f"import sys; sys.path.insert(0, 'src')\n{code}\nassert new.shape == (16, 28, 28, 1)"
    repository.run(repository.python, "-c", script)


@pytest.mark.parametrize("mend", ["git checkout reports && dvc checkout", "dvc repro"])
def test_what_dvc_removes_before_a_mistake_is_told_comes_back_once_it_is_mended(
    repository: Repository, tmp_path: Path, mend: str
) -> None:
    copy = repository.copy(tmp_path / "repository")
    original = (copy.path / "params.yaml").read_text(encoding="utf-8")
    copy.change({"train": {"latent_dim": 0}})
    output = copy.dvc("repro", status=255)
    assert "error: params.yaml: train.latent_dim is 0, but must be greater than or equal to 1." in output
    assert "Traceback" not in output
    assert not (copy.path / "models/vae").exists()
    (copy.path / "params.yaml").write_text(original, encoding="utf-8")
    assert run_in(copy.run("sh", "-c", mend.replace("dvc", f'"{copy.python}" -m dvc'))) == []
    assert copy.run("git", "status", "--porcelain") == ""
    assert "up to date" in copy.dvc("status")


def test_make_repro_tells_a_mistake_before_dvc_removes_anything(repository: Repository, tmp_path: Path) -> None:
    copy = repository.copy(tmp_path / "repository")
    for spoilt, mistake in (
        ("laten_dim: 4", "error: params.yaml: train.laten_dim is unknown; did you mean latent_dim?"),
        ("latent_dim: [", "error: params.yaml is not valid YAML: "),
        ("latent_dim: 4\n  latent_dim: 4", "error: params.yaml is not valid YAML: key 'latent_dim' is given twice "),
    ):
        assert "  latent_dim: 10 #" in PARAMS
        (copy.path / "params.yaml").write_text(PARAMS.replace("latent_dim: 10", spoilt), encoding="utf-8")
        before = copy.run("git", "status", "--porcelain")
        output = copy.run("make", "--assume-old=.venv/ready", f"BIN={Path(copy.python).parent}", "repro", status=2)
        told, ended = output.splitlines()
        assert told.startswith(mistake)
        assert ended.startswith("make: ***")
        assert copy.run("git", "status", "--porcelain") == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"latent_dim": 0}}, "train.latent_dim is 0, but must be greater than or equal to 1."),
        ({"visualize": {"perplexty": 3}}, "visualize.perplexty is unknown; did you mean perplexity?"),
        ({"prepare": {"validation_size": 600}}, "prepare.validation_size is 600, but must be from 10 to 590"),
    ],
)
def test_a_mistake_in_the_parameters_is_one_sentence(
    repository: Repository, changes: dict[str, dict[str, Any]], message: str
) -> None:
    original = (repository.path / "params.yaml").read_text(encoding="utf-8")
    repository.change(changes)
    try:
        output = repository.run(repository.python, "src/prepare.py", status=1)
    finally:
        (repository.path / "params.yaml").write_text(original, encoding="utf-8")
    (line,) = output.splitlines()
    assert message in line
