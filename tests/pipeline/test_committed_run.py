"""The committed run: complete, and of this code and these parameters."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from PIL import Image

from benchmarks.stages import read_stages
from imports import ROOT

STAGES = read_stages(ROOT)
LOCKED = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
PICTURES = sorted((ROOT / "reports").glob("*.png"))


@pytest.fixture(scope="module")
def stages() -> Iterator[dict[str, Any]]:
    """Yield the stages as DVC knows them, with the hashes in dvc.lock."""
    with Repo(ROOT) as repo:
        yield {stage.name: stage for stage in repo.index.stages}


def committed_outputs(stage: dict[str, Any]) -> set[str]:
    """Return the outputs that git keeps, not DVC."""
    return {path for kind in ("metrics", "plots") for out in stage.get(kind, []) for path in out}


def test_the_lock_file_contains_every_stage_and_dependency() -> None:
    assert set(LOCKED) == set(STAGES)
    for name, stage in STAGES.items():
        assert {dep["path"] for dep in LOCKED[name]["deps"]} == set(stage["deps"]), name


@pytest.mark.parametrize("name", STAGES)
def test_the_committed_run_is_of_this_code_and_these_parameters(stages: dict[str, Any], name: str) -> None:
    dependencies = [dep for dep in stages[name].deps if not str(dep.def_path).startswith(("data/", "models/"))]
    assert {"src/vae/errors.py", "params.yaml"} <= {dep.def_path for dep in dependencies}
    for dependency in dependencies:
        assert dependency.workspace_status() == {}, dependency


@pytest.mark.parametrize("name", STAGES)
def test_small_outputs_are_committed_as_the_run_wrote_them(stages: dict[str, Any], name: str) -> None:
    reports = [out for out in stages[name].outs if out.def_path.startswith("reports/")]
    small = {out.def_path: out for out in reports if not out.use_cache}  # the page of `explore` is in DVC's cache
    assert set(small) == committed_outputs(STAGES[name])
    for out in small.values():
        assert out.workspace_status() == {}, out
    tracked = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(small) <= set(tracked.stdout.split())


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_are_below_a_megabyte_at_150_dots_per_inch(path: Path) -> None:
    assert path.stat().st_size < 10**6
    with Image.open(path) as picture:
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)


def test_the_classifier_is_right_on_99_of_100_test_images() -> None:
    report = json.loads((ROOT / "reports/details/classify.json").read_text(encoding="utf-8"))
    assert report["classifier"]["accuracy"] >= 0.99
    assert report["classifier"]["images"] == 10_000
