"""The real stages, run by DVC on a few hundred real images in a repository of their own; every output is opened."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from repository import Repository, stages_run

SIZES = {"train": 500, "validation": 100, "test": 100}
LATENT_DIM = 4
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


def load(repository: Repository, name: str) -> dict[str, NDArray[Any]]:
    with np.load(repository.path / name) as file:
        return dict(file)


def test_prepared_images_are_normalized_and_split(repository: Repository) -> None:
    for name, size in SIZES.items():
        split = load(repository, f"data/prepared/{name}.npz")
        assert split["images"].dtype == np.float32
        assert split["images"].shape == (size, 28, 28, 1)
        assert (split["images"].min(), split["images"].max()) == (0, 1)
        assert set(split["labels"]) == set(range(10))
        assert split["class_names"].tolist() == list("0123456789")


def test_history_and_metrics_agree(repository: Repository) -> None:
    history = pd.read_csv(repository.path / "reports/history.csv")
    assert history.epoch.tolist() == [1, 2]
    assert "seconds" not in history  # they would differ from run to run
    assert history.loss[1] < history.loss[0] < 784 * np.log(2)
    grey = repository.read_json("details/evaluate")["grey"]
    assert grey["loss"] == pytest.approx(grey["reconstruction"] + grey["kl"])
    assert grey["loss"] == pytest.approx(history.val_loss.min(), rel=0.1)
    assert (grey["images"], grey["samples"]) == (100, 2)


def test_bounds_of_both_protocols_lie_above_the_entropy_and_tighten(repository: Repository) -> None:
    results = repository.read_json("details/evaluate")
    measured = {"loss", "reconstruction", "kl", "importance_weighted", "entropy"}
    for protocol in ("grey", "binarized"):
        bounds = results[protocol]
        assert results["grey"]["entropy"] == bounds["entropy"]
        assert 0 < bounds["entropy"] < bounds["importance_weighted"] < bounds["loss"]
        assert set(bounds["standard_error"]) == measured == set(bounds) & measured
    assert results["binarized"]["loss"] != results["grey"]["loss"]


def test_the_bounds_are_means_over_the_images(repository: Repository) -> None:
    grey, terms = repository.read_json("details/evaluate")["grey"], load(repository, "data/evaluation/test.npz")
    for name in ("reconstruction", "kl", "importance_weighted"):
        assert grey[name] == pytest.approx(terms[name].mean(), rel=1e-8)
    bins = pd.read_csv(repository.path / "reports/loss_histogram.csv")
    assert bins.images.sum() == 100
    assert np.average(bins.loss, weights=bins.images) == pytest.approx(grey["loss"], rel=0.05)


def test_the_rate_is_decomposed(repository: Repository) -> None:
    results = repository.read_json("details/evaluate")
    posterior, kl = results["posterior"], results["grey"]["kl"]
    assert posterior["mutual_information"] + posterior["marginal_kl"] == pytest.approx(kl, rel=1e-4)
    assert posterior["log_images"] == pytest.approx(np.log(100))
    table = pd.read_csv(repository.path / "reports/kl_per_dimension.csv")
    assert table.active.sum() == posterior["active_units"]
    assert table.kl.sum() == pytest.approx(kl, rel=1e-4)
    assert sorted(table.dimension) == [*range(LATENT_DIM)]


def test_probes_do_better_than_chance(repository: Repository) -> None:
    results = repository.read_json("details/embed") | repository.read_json("details/baseline")
    assert set(results) == {"latents", "pixels", "principal_components"}
    for probes in results.values():
        for classifier in ("logistic_regression", "knn"):
            assert 0.3 < probes[classifier]["accuracy"] < 1
        for agreement in ("nmi", "ari"):
            assert 0.05 < probes[agreement]["mean"] < 1


def test_maps_are_assessed_and_have_a_row_for_each_point(repository: Repository) -> None:
    maps = repository.read_json("details/visualize")["maps"]
    labels = load(repository, "data/prepared/test.npz")["labels"]
    for name, quality in maps.items():
        assert quality["knn"]["images"] == 80
        assert 0.1 < quality["knn"]["accuracy"] < 1
        assert 0.5 < quality["trustworthiness"]["pixels"]["value"] < 1
        table = pd.read_csv(repository.path / f"reports/tsne_{name}.csv")
        assert list(table.columns) == ["x", "y", "label", "class"]
        assert table.label.tolist() == labels[:80].tolist()
    assert maps["images"]["trustworthiness"]["input"] == maps["images"]["trustworthiness"]["pixels"]
    assert maps["latents"]["trustworthiness"]["input"] != maps["latents"]["trustworthiness"]["pixels"]


def test_the_classifier_learns_and_its_error_is_binomial(repository: Repository) -> None:
    result = repository.read_json("details/classify")["classifier"]
    accuracy = result["accuracy"]
    assert 0.7 < accuracy < 1
    assert result["standard_error"] == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 100), rel=1e-8)
    assert result["images"] == 100


def test_training_images_are_nearer_to_the_test_images_than_generated_ones(repository: Repository) -> None:
    scores = repository.read_json("details/score")
    assert (scores["images"], scores["features"]) == (100, 64)
    errors = scores["frechet"].pop("standard_error")
    assert set(errors) == set(scores["frechet"]) == {"prior", "reconstruction", "mixture", "train"}
    for name in ("prior", "reconstruction", "mixture"):
        assert 0 < scores["frechet"]["train"] < scores["frechet"][name]
        assert 0 < errors[name] < scores["frechet"][name]


def test_every_image_is_embedded(repository: Repository) -> None:
    for name, size in SIZES.items():
        embedding = load(repository, f"data/embeddings/{name}.npz")
        assert embedding["z_mean"].shape == embedding["z_log_var"].shape == (size, LATENT_DIM)
        assert np.isfinite(embedding["z_mean"]).all()
        assert len(embedding["labels"]) == size
    table = pd.read_csv(repository.path / "data/embeddings/test.csv")
    np.testing.assert_allclose(table.filter(like="z_mean"), embedding["z_mean"], rtol=1e-6)
    np.testing.assert_array_equal(table.label, embedding["labels"])


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_open_and_are_not_blank(repository: Repository, name: str) -> None:
    path = repository.path / f"reports/{name}.png"
    assert path.stat().st_size < 10**6
    with Image.open(path) as picture:
        assert min(picture.size) > 300
        assert np.asarray(picture.convert("L")).std() > 5


def test_nothing_reruns_when_nothing_changed(repository: Repository) -> None:
    output = repository.dvc("repro")
    assert stages_run(output) == []
    assert "up to date" in output


def test_the_output_contains_nothing_of_tensorflow_and_no_warning(repository: Repository) -> None:
    for noise in ("absl", "cuda", "oneDNN", "Warning", "Traceback"):
        assert noise not in repository.output


def test_the_python_lines_of_the_readme_run(repository: Repository) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (repository.path / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    repository.run(repository.python, "-c", f"{code}\nassert new.shape == (16, 28, 28, 1)")


def test_an_experiment_reruns_what_it_changes(compared: Repository) -> None:
    assert stages_run(compared.output) == ["train", "evaluate", "embed", "visualize", "score", "explore"]
    assert "slow" in compared.dvc("exp", "show", "--csv")


def test_an_experiment_can_be_compared(compared: Repository) -> None:
    shown = json.loads(compared.dvc("params", "diff", "--json"))
    difference = {"old": 0.005, "new": 0.001, "diff": pytest.approx(-0.004)}
    assert shown == {"params.yaml": {"train.learning_rate": difference}}
    difference = json.loads(compared.dvc("metrics", "diff", "--json"))["reports/metrics.json"]
    assert difference["loss"]["diff"] > 0
    # each plot shows the points of both revisions
    compared.dvc("plots", "diff")
    page = (compared.path / "dvc_plots/index.html").read_text(encoding="utf-8")
    for revision in ("HEAD", "workspace"):
        assert page.count(f'"rev": "{revision}"') >= 2 * 80


def test_the_former_value_restores_the_former_outputs(compared: Repository, tmp_path: Path) -> None:
    copy = compared.copy(tmp_path / "repository")
    assert copy.run("git", "status", "--porcelain", "reports", "dvc.lock") != ""
    copy.change({"train": {"learning_rate": 0.005}})
    assert stages_run(copy.dvc("repro")) == []
    assert copy.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize("remedy", ["git checkout reports && dvc checkout", "dvc repro"])
def test_outputs_that_dvc_removed_before_an_error_come_back_once_it_is_fixed(
    repository: Repository, tmp_path: Path, remedy: str
) -> None:
    copy = repository.copy(tmp_path / "repository")
    original = (copy.path / "params.yaml").read_text(encoding="utf-8")
    copy.change({"model": {"latent_dim": 0}})
    output = copy.dvc("repro", status=255)
    assert "error: params.yaml: model.latent_dim is 0, but must be greater than or equal to 1." in output
    assert "Traceback" not in output
    assert not (copy.path / "models/vae.keras").exists()
    (copy.path / "params.yaml").write_text(original, encoding="utf-8")
    assert stages_run(copy.run("sh", "-c", remedy)) == []
    assert copy.run("git", "status", "--porcelain") == ""
    assert "up to date" in copy.dvc("status")


@pytest.fixture
def misspelt(repository: Repository, tmp_path: Path) -> Repository:
    """Return a copy in which an option of a late stage is misspelt."""
    copy = repository.copy(tmp_path / "repository")
    path = copy.path / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("perplexity", "perplexty"), encoding="utf-8")
    return copy


def test_make_repro_reports_an_error_before_dvc_removes_anything(misspelt: Repository) -> None:
    before = misspelt.run("git", "status", "--porcelain")
    binaries = Path(misspelt.python).parent
    place = misspelt.path / ".venv/place"
    place.parent.mkdir()
    place.write_text(f"{misspelt.path}\n", encoding="utf-8")
    output = misspelt.run("make", "--assume-old=.venv/ready", f"BIN={binaries}", "repro", status=2)
    reported, ended = output.splitlines()
    assert reported == "error: params.yaml: visualize.perplexty is unknown; did you mean perplexity?"
    assert ended.startswith("make: ***")
    assert misspelt.run("git", "status", "--porcelain") == before
