"""The committed run: whole, of this code and these parameters, and what the README says of it."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
LOCKED = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
PICTURES = sorted((ROOT / "reports").glob("*.png"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
TERMS = ("loss", "reconstruction", "kl", "importance_weighted")
KINDS = ("latents", "pixels", "principal_components")
# How the README has each figure over the seeds: the decimals of mean and standard error, and the factor for per cent.
OVER_SEEDS = (
    dict.fromkeys((f"{protocol}.{name}" for protocol in ("grey", "binarized") for name in TERMS), (2, 1))
    | dict.fromkeys(("posterior.mutual_information", "posterior.marginal_kl", "posterior.moment_kl"), (3, 1))
    | dict.fromkeys((f"{kind}.{name}.accuracy" for kind in KINDS for name in ("logistic_regression", "knn")), (2, 100))
    | dict.fromkeys((f"{kind}.{name}.mean" for kind in KINDS for name in ("nmi", "ari")), (3, 1))
    | dict.fromkeys((f"maps.{name}.knn.accuracy" for name in ("images", "latents")), (2, 100))
    | dict.fromkeys((f"maps.{name}.trustworthiness.input.value" for name in ("images", "latents")), (4, 1))
    | dict.fromkeys((f"frechet.{name}" for name in ("prior", "mixture", "reconstruction", "train")), (4, 1))
    | {"maps.latents.trustworthiness.pixels.value": (4, 1), "classifier.accuracy": (2, 100)}
)


def committed_outputs(stage: dict[str, Any]) -> list[str]:
    """Those that git keeps, not DVC."""
    return [path for kind in ("metrics", "plots") for out in stage.get(kind, []) for path in out]


def test_the_lock_file_knows_every_stage() -> None:
    assert set(LOCKED) == set(STAGES)
    for name, stage in STAGES.items():
        assert {dep["path"] for dep in LOCKED[name]["deps"]} == set(stage["deps"]), name


@pytest.mark.parametrize("stage", STAGES)
def test_the_committed_run_is_of_this_code_and_these_parameters(stage: str) -> None:
    code = {dep["path"]: dep["md5"] for dep in LOCKED[stage]["deps"] if dep["path"].startswith("src/")}
    assert code == {path: hashlib.md5((ROOT / path).read_bytes()).hexdigest() for path in code}  # noqa: S324, DVC's
    params: Any = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key, value in LOCKED[stage]["params"]["params.yaml"].items():
        section, _, name = key.rpartition(".")
        assert (params[section] if section else params)[name] == value, key


@pytest.mark.parametrize("stage", STAGES)
def test_small_outputs_are_those_of_the_committed_run(stage: str) -> None:
    written = {out["path"]: out["md5"] for out in LOCKED[stage]["outs"] if out["path"].startswith("reports/")}
    assert set(written) == set(committed_outputs(STAGES[stage]))
    assert written == {path: hashlib.md5((ROOT / path).read_bytes()).hexdigest() for path in written}  # noqa: S324


@pytest.mark.parametrize("stage", STAGES)
def test_small_outputs_are_committed(stage: str) -> None:
    tracked = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(committed_outputs(STAGES[stage])) <= set(tracked.stdout.split())


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_are_below_a_megabyte_at_150_dots_per_inch(path: Path) -> None:
    assert path.stat().st_size < 10**6
    with Image.open(path) as picture:
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)


def test_the_classifier_is_right_on_99_of_100_test_images() -> None:
    report = json.loads((ROOT / "reports/classification.json").read_text(encoding="utf-8"))
    assert report["classifier"]["accuracy"] >= 0.99
    assert report["classifier"]["images"] == 10_000


@pytest.mark.parametrize("name", OVER_SEEDS)
def test_the_readme_has_the_figures_over_seeds(name: str) -> None:
    row = pd.read_csv(ROOT / "reports/seeds.csv").set_index("figure").loc[name]
    decimals, factor = OVER_SEEDS[name]
    assert f"{factor * row['mean']:.{decimals}f} ± {factor * row.standard_error:.{decimals}f}" in README


@pytest.mark.parametrize("change", pd.read_csv(ROOT / "reports/effects.csv").to_dict("records"), ids=str)
def test_the_readme_has_the_effect_of_each_change(change: dict[str, Any]) -> None:
    figures = [f"{change[name]:.2f}" for name in ("validation", "loss", "reconstruction", "kl")]
    assert " | ".join(figures) in README


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_readme_has_the_speed_of_the_step(precision: str) -> None:
    step = json.loads((ROOT / "reports/benchmark.json").read_text(encoding="utf-8"))["step"][precision]
    for name in ("vs_plain_keras", "vs_plain_keras_at_equal_precision", "vs_pytorch", "vs_floor"):
        assert "{:.2f} ({:.2f}–{:.2f})".format(step[name], *step[f"{name}_quartiles"]) in README


def test_the_readme_has_the_time_to_quality() -> None:
    quality = json.loads((ROOT / "reports/benchmark.json").read_text(encoding="utf-8"))["time_to_quality"]
    assert f"**{quality['ratio']:.3f}** of the post's time" in README


def test_the_readme_has_the_seconds_and_the_memory_of_each_stage() -> None:
    report = json.loads((ROOT / "reports/benchmark.json").read_text(encoding="utf-8"))["stages"]
    assert set(report["stages"]) == set(STAGES)
    for name, measured in report["stages"].items():
        assert f"\n| {name} | {measured['seconds']:.1f} | {measured['peak_mib']:.0f} |\n" in README
    assert (
        "`dvc repro` with nothing to do took {pipeline:.2f} s, in a repository of the same\n"
        "stages, parameters and files, all empty, {same_stages_of_empty_files:.2f} s, "
        "in one of a single trivial stage {one_trivial_stage:.2f} s:"
    ).format_map(report["nothing_to_do"]) in README


def test_the_readme_has_the_exponents_of_growth() -> None:
    scaling = json.loads((ROOT / "reports/benchmark.json").read_text(encoding="utf-8"))["scaling"]
    training, embedding, tsne = (scaling["exponents"][name] for name in scaling["seconds"])
    growth = f"e = {training:.2f} (training), {embedding:.2f}\n(embedding), {tsne:.2f} (t-SNE)"
    assert f"{scaling['rounds']} rounds: seconds ∝ images^e with {growth}" in README
