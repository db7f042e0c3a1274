"""The committed run: whole, of this pipeline, and as good as the README says."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PICTURES = sorted((ROOT / "reports").glob("*.png"))


def committed_outputs(stage: dict[str, Any]) -> list[str]:
    """Those that git keeps, not DVC."""
    return [path for kind in ("metrics", "plots") for out in stage.get(kind, []) for path in out]


def test_the_lock_file_knows_every_stage() -> None:
    locked = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    assert set(locked) == set(STAGES)
    for name, stage in STAGES.items():
        assert {dep["path"] for dep in locked[name]["deps"]} == set(stage["deps"]), name


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
