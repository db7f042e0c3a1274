"""Splits in shards, which no stage holds in memory, give the same outputs as splits in memory."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.stages import outputs, read_stages
from small_images import SHAPE, SIZES, STAGES, Labels, run_stages
from vae.data import shards

pytestmark = pytest.mark.slow


def test_all_outputs_are_the_same_from_memory_and_from_disk(root: Path, tmp_path: Path) -> None:
    labels: dict[str, Labels] = {name: np.arange(count, dtype=np.uint8) % 3 for name, count in SIZES.items()}
    memory = run_stages(root, tmp_path / "memory", labels, ["a", "b", "c"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "MAX_BYTES", 5 * int(np.prod(SHAPE)))
        disk = run_stages(root, tmp_path / "disk", labels, ["a", "b", "c"])
    assert len(list((disk.path / "data/prepared/train.shards").glob("*.npz"))) == 7
    stages = read_stages(disk.path)
    for name in (name for stage in STAGES for name in outputs(stages[stage])):
        assert (disk.path / name).read_bytes() == (memory.path / name).read_bytes(), name
    for stage in STAGES:
        shown = [[line for line in run.printed[stage] if not line.endswith(" s")] for run in (memory, disk)]
        assert shown[0] == shown[1]
