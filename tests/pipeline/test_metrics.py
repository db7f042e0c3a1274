"""DVC's metrics: few, narrow, equal to the detailed results, and without standard errors."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.seeds import all_results, table
from repository import Repository
from vae.io.tables import write_metrics

METRICS = {
    "metrics": {
        "loss": "grey.loss",
        "reconstruction": "grey.reconstruction",
        "kl": "grey.kl",
        "iw_bound": "grey.importance_weighted",
        "active_units": "posterior.active_units",
    },
    "binarized": {
        "loss": "binarized.loss",
        "reconstruction": "binarized.reconstruction",
        "kl": "binarized.kl",
        "iw_bound": "binarized.importance_weighted",
    },
    "latents": {"accuracy": "latents.logistic_regression.accuracy"},
    "pixels": {"accuracy": "pixels.logistic_regression.accuracy"},
    "classifier": {"accuracy": "classifier.accuracy"},
    "frechet": {"frechet": "frechet.prior"},
}
"""The detailed result behind each metric, by the file and the name of the metric."""
WIDTH = 120

pytestmark = pytest.mark.slow


def widest_line(output: str) -> int:
    return max(len(line) for line in output.splitlines())


def test_each_metric_is_a_detailed_result_with_six_significant_digits(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.path)
    results = table({0: all_results()}).set_index("metric")["mean"]
    shown = json.loads(repository.dvc("metrics", "show", "--json"))[""]["data"]
    assert set(shown) == {f"reports/{file}.json" for file in METRICS}
    assert sum(len(file["data"]) for file in shown.values()) <= 25
    for file, names in METRICS.items():
        metrics = shown[f"reports/{file}.json"]["data"]
        assert set(metrics) == set(names)  # no section, no standard error
        for metric, name in names.items():
            assert metrics[metric] == float(f"{metrics[metric]:.6g}")
            assert metrics[metric] == pytest.approx(results[name], rel=5.1e-6)


def test_the_table_of_metrics_fits_120_columns_with_losses_of_five_digits(
    repository: Repository, tmp_path: Path
) -> None:
    copy = repository.copy(tmp_path / "repository")
    for file in ("metrics", "binarized"):
        losses = dict.fromkeys(METRICS[file], 98765.4321)
        write_metrics(copy.path / f"reports/{file}.json", losses)
    output = copy.dvc("metrics", "show")
    assert output.count(" 98765.4") == 9
    assert widest_line(output) <= WIDTH


def test_all_results_of_an_experiment_can_be_read_at_its_revision(
    compared: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = pd.read_csv(compared.path / "reports/seeds.csv")
    monkeypatch.chdir(compared.path)
    assert all_results("slow") == all_results()
    assert all_results("slow")["grey"] != all_results("HEAD")["grey"]
    assert table({1: all_results("slow")}).metric.tolist() == committed.metric.tolist()


def test_the_documented_table_of_experiments_fits_120_columns(compared: Repository) -> None:
    document = (compared.path / "docs/experiments.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^dvc exp show --only-changed \\\n(?:.*\\\n)*.*$", document, flags=re.MULTILINE)
    printed = compared.run("env", "COLUMNS=300", "sh", "-c", f"{command} --no-pager")
    shown = ("reports/metrics.json:loss", "reports/latents.json:accuracy", "frechet", "train.learning_rate", "[slow]")
    for part in shown:
        assert part in printed
    assert widest_line(printed) <= WIDTH
