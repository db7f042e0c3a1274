"""The code of the generated tables, on small reports and pipelines."""

import json
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import pytest
from pydantic import BaseModel, Field

from docs import benchmark_tables, data_set_tables, literature_tables, pipeline_tables, tables

SEEDS = """\
figure,seed 1,seed 2,mean,standard_error
grey.loss,1,3,2,1
pixels.knn.accuracy,0.96,0.97,0.965,0.005
latents.knn.accuracy,0.95,0.98,0.965,0.015
maps.images.knn.accuracy,0.9,0.9,0.9,0
maps.latents.knn.accuracy,0.8,0.8,0.8,0
"""
METRICS = {
    "metrics": {"loss": 100.891, "reconstruction": 81.4881, "kl": 19.4031, "iw_bound": 98.1373, "active_units": 10},
    "binarized": {"loss": 103.043, "iw_bound": 99.0339},
    "latents": {"accuracy": 0.9359},
    "pixels": {"accuracy": 0.5},
    "classifier": {"accuracy": 0.98},
    "frechet": {"frechet": 0.134679},
}
# A chain with a short cut: the last stage reads the first one's output, too, by its folder.
STAGES: pipeline_tables.Stages = {
    "prepare": {"params": ["seed", "prepare"], "deps": ["src/prepare.py"], "outs": ["data/prepared/train.npz"]},
    "train": {"params": ["seed", "train"], "deps": ["data/prepared/train.npz"], "outs": ["models/vae.keras"]},
    "draw": {
        "params": ["draw"],
        "deps": ["data/prepared", "models/vae.keras"],
        "plots": [{"reports/map.csv": {"cache": False}}, "reports/map.png"],
    },
    "classify": {"params": ["classify"], "deps": ["data/prepared"], "metrics": ["reports/accuracy.json"]},
}


class Settings(BaseModel):
    count: int = Field(ge=1, le=1_000_000)
    rate: float = Field(ge=0, lt=1)
    share: float = Field(gt=0, le=1)
    kind: Literal["adam", "muon"]
    channels: Literal[1, 3] | None
    size: tuple[Annotated[int, Field(ge=8, le=256)], Annotated[int, Field(ge=8, le=256)]] | None
    path: str
    skip: bool
    free: float


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of small reports."""
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "seeds.csv").write_text(SEEDS, encoding="utf-8")
    return folder


def test_a_table_is_markdown_and_its_cells_may_contain_bars() -> None:
    assert tables.table(("x", "y"), [("q(z|x)", 1)]) == "| x | y |\n| --- | --- |\n| q(z\\|x) | 1 |"


@pytest.mark.usefixtures("reports")
def test_results_over_seeds_are_the_mean_and_its_standard_error() -> None:
    assert tables.over_seeds("grey.loss") == "2.00 ± 1.00"
    assert tables.over_seeds("latents.knn.accuracy", 1, 100) == "96.5 ± 1.5"


@pytest.mark.usefixtures("reports")
def test_the_spread_over_seeds_is_the_standard_deviation() -> None:
    assert "1.41 nats over 2 seeds" in tables.seed_spread()


@pytest.mark.usefixtures("reports")
def test_runs_are_counted_in_which_the_pixels_have_the_better_neighbours() -> None:
    sentence = tables.pixels_against_latents()
    assert "2 of 2 seeds in the maps" in sentence
    assert "with 1 before them" in sentence


def test_a_change_is_found_by_the_parameter_that_it_sets(reports: Path) -> None:
    (reports / "effects.csv").write_text(
        "change,settings,loss\nnone,,1\na,train.epochs=3,2\nb,train.schedule=constant train.epochs=3,3\n",
        encoding="utf-8",
    )
    assert tables.effect("train.schedule")["loss"] == "3"


def test_the_metrics_of_fashion_mnist_stand_next_to_mnists(reports: Path) -> None:
    (reports / "details").mkdir()
    (reports / "details/evaluate.json").write_text('{"grey": {"samples": 8}}', encoding="utf-8")
    compared = {
        f"reports/{file}.json": {name: {"old": value, "new": value / 2} for name, value in metrics.items()}
        for file, metrics in METRICS.items()
    }
    (reports / "fashion_mnist.json").write_text(json.dumps(compared), encoding="utf-8")

    rows = [line.strip("| ").split(" | ")[1:] for line in data_set_tables.fashion_mnist().splitlines()]

    assert rows[0] == ["MNIST", "Fashion-MNIST"]
    assert rows[2:] == [
        ["100.89", "50.45"],
        ["81.49", "40.74"],
        ["19.40", "9.70"],
        ["98.14", "49.07"],
        ["10", "5"],
        ["103.04", "51.52"],
        ["99.03", "49.52"],
        ["93.59", "46.79"],
        ["50.00", "25.00"],
        ["98.00", "49.00"],
        ["0.1347", "0.0673"],
    ]


def test_fashion_mnist_is_compared_with_the_committed_run() -> None:
    for file, metrics in tables.report("fashion_mnist.json").items():
        committed = tables.report(Path(file).name)
        assert {name: values["old"] for name, values in metrics.items()} == committed


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("count", "integer from 1 to 1,000,000"),
        ("rate", "number at least 0 and below 1"),
        ("share", "number above 0 and at most 1"),
        ("kind", "`adam`, `muon`"),
        ("channels", "`1`, `3`, or `null`"),
        ("size", "[x, x] with x integer from 8 to 256, or `null`"),
        ("path", "text"),
        ("skip", "`true`, `false`"),
        ("free", "number"),
    ],
)
def test_allowed_values_come_from_the_field(field: str, text: str) -> None:
    assert pipeline_tables.allowed(Settings.model_fields[field]) == text


@pytest.mark.parametrize(
    ("section", "stages"),
    [
        ("seed", {"prepare", "train", "draw", "classify"}),
        ("train", {"train", "draw"}),
        ("draw", {"draw"}),
        ("classify", {"classify"}),
    ],
)
def test_a_change_reruns_the_stages_that_use_the_section_and_all_after_them(section: str, stages: set[str]) -> None:
    assert pipeline_tables.reruns(STAGES, section) == stages


def test_the_graph_leaves_out_arrows_that_follow_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_tables, "stages", lambda: STAGES)
    arrows = [line.strip() for line in pipeline_tables.graph().splitlines() if "-->" in line]
    assert arrows == ["raw[(images)] --> prepare", "prepare --> train & classify", "train --> draw"]


@pytest.mark.parametrize(("ratio", "text"), [(0.25, "0.250 of that time"), (None, "does not reach")])
def test_the_share_of_the_tutorials_time_may_be_unknown(
    ratio: float | None, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = {"plain_epoch_seconds": [20.0], "float32": {"ratio": ratio, "tutorial_seconds": 1000.0}}
    monkeypatch.setattr(benchmark_tables, "report", lambda name: {"time_to_quality": results})
    assert text in benchmark_tables.time_ratio()


def test_the_minutes_of_a_training_count_once_for_all_its_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ("a", "grey levels", 1, 2.5),
        ("a", "binarized", 1, 2.5),
        ("a", "grey levels", 2, 3.5),
        ("b", "all", 1, 4.0),
    ]
    found = pd.DataFrame(rows, columns=["preset", "protocol", "seed", "minutes"])
    monkeypatch.setattr(literature_tables, "runs", lambda: found)
    assert literature_tables.total() == "The 3 trainings took 10 minutes in all."
    found.loc[3, "minutes"] = None
    assert literature_tables.total() == "The 2 trainings took 6 minutes in all, without 1 whose time is not known."
