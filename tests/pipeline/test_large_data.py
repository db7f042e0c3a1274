"""Many or large images: all stages read shards like splits in memory, and some use a part of the images."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stages import outputs, read_stages
from small_images import SHAPE, SIZES, STAGES, Labels, Run, run_stages
from vae.data import shards

NAMES = ["a", "b", "c"]
VALUES = int(np.prod(SHAPE))
TIMED = re.compile(r" s$|^trained 2 epochs in [\d.]+ minutes$")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def labels() -> dict[str, Labels]:
    """Return labels of three classes."""
    return {name: np.arange(count, dtype=np.uint8) % 3 for name, count in SIZES.items()}


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory, labels: dict[str, Labels]) -> Run:
    """Return the outputs of all stages on images in memory."""
    return run_stages(root, tmp_path_factory.mktemp("memory"), labels, NAMES)


def test_all_outputs_are_the_same_from_memory_and_from_disk(
    run: Run, root: Path, tmp_path: Path, labels: dict[str, Labels], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_BYTES", 5 * VALUES)
    disk = run_stages(root, tmp_path, labels, NAMES)
    assert len(list((disk.path / "data/prepared/train.shards").glob("*.npz"))) == 7
    stages = read_stages(disk.path)
    for name in (name for stage in STAGES for name in outputs(stages[stage])):
        assert (disk.path / name).read_bytes() == (run.path / name).read_bytes(), name
    for stage in STAGES:
        shown = [[line for line in each.printed[stage] if not TIMED.search(line)] for each in (run, disk)]
        assert shown[0] == shown[1]


def test_many_images_are_probed_and_compared_in_part(
    run: Run, root: Path, tmp_path: Path, labels: dict[str, Labels], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("models", "data/embeddings"):
        shutil.copytree(run.path / folder, tmp_path / folder)
    monkeypatch.setattr("vae.evaluation.probes.MAX_VALUES", 20 * VALUES)
    monkeypatch.setattr("vae.evaluation.image_sets.MAX_VALUES", 10 * VALUES)
    monkeypatch.setattr("vae.evaluation.latent_density.MAX_FITTED", 30)
    part = run_stages(root, tmp_path, labels, NAMES, stages=("baseline", "score"))
    line = "pixels: the probes use 20 of 40 training images, drawn at random, and 12 of 12 test images"
    assert line in part.printed["baseline"]
    for results in part.read_json("details/baseline").values():
        assert results["images"] == {"train": 20, "test": 12}
    assert part.printed["score"][:3] == [
        "score.mixture_components is 50, but 30 training images have room for only 30.",
        "fitting 30 Gaussians to one z ~ q(z|x) for each of 30 of 40 training images",
        "Frechet distance between 10 of 12 test images and 10 images of each kind",
    ]
    assert part.read_json("details/score")["images"] == 10
