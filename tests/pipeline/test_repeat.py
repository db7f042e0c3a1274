"""The same commit, parameters and machine give the same outputs, byte for byte."""

from typing import Any

import pytest
import yaml

from repository import Repeated, Repository

STAGES = ("prepare", "train", "evaluate", "embed", "visualize", "baseline", "classify", "score")

pytestmark = pytest.mark.slow


def locked(repository: Repository, stage: str) -> dict[str, Any]:
    """Return what dvc.lock records of the stage: hashes and sizes of dependencies and outputs, and the parameters."""
    content = yaml.safe_load((repository.path / "dvc.lock").read_text(encoding="utf-8"))
    known: dict[str, Any] = content["stages"][stage]
    return known


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_run_again_gives_the_same_hashes(repository: Repository, repeated: Repeated, stage: str) -> None:
    assert f"Running stage '{stage}'" in repeated.first
    first, again = locked(repository, stage), locked(repeated.repository, stage)
    assert {out["path"]: out["md5"] for out in again["outs"]} == {out["path"]: out["md5"] for out in first["outs"]}
    assert again == first


def test_a_repeated_run_leaves_everything_in_git_unchanged(repeated: Repeated) -> None:
    assert repeated.repository.run("git", "status", "--porcelain") == ""
