"""Your own images by `prepare.dataset` only, as docs/your-images.md describes: DVC sees what changes, and only that."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repository import Repository, stages_run
from vae.data.splits import Split, load_split

pytestmark = pytest.mark.slow

COUNT = 40


def draw(path: Path, number: int) -> None:
    """Save a colour image of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 256, (20, 16, 3), np.uint8)
    Image.fromarray(noise).save(path)


def fill(folder: Path) -> None:
    """Draw images of two classes."""
    for number in range(COUNT):
        draw(folder / ("猫" if number % 2 else "dog") / f"{number}.png", number)


@pytest.fixture
def copy(repository: Repository, tmp_path: Path) -> Repository:
    """Return a copy that holds out a share of the images, as the committed parameters do."""
    copied = repository.copy(tmp_path / "repository")
    copied.change({"prepare": {"share": 1.0, "validation_size": 0.08333}})
    for key, value in {"user.name": "test", "user.email": "test@example.org"}.items():
        copied.run("git", "config", key, value)
    return copied


def prepare(copy: Repository, dataset: str) -> list[str]:
    """Run the stage `prepare` as an experiment, and return the stages that ran."""
    copy.output = copy.dvc("exp", "run", "-S", f"prepare.dataset={dataset}", "prepare")
    return stages_run(copy.output)


def split(copy: Repository, name: str) -> Split:
    return load_split(copy.path / f"data/prepared/{name}.npz")


def test_a_folder_is_taken_by_one_parameter_and_its_changes_rerun_prepare(copy: Repository) -> None:
    photos = copy.path / "photos"
    fill(photos)
    assert prepare(copy, "photos") == ["prepare"]
    assert "photos: 40 images in 2 classes, 20x16 pixels, 3 channels; test part held out\n" in copy.output
    sizes = {name: len(split(copy, name).images) for name in ("train", "validation", "test")}
    assert sizes == {"train": 31, "validation": 3, "test": 6}
    assert split(copy, "train").images.shape[1:] == (20, 16, 3)
    assert split(copy, "test").class_names.tolist() == ["dog", "猫"]
    assert prepare(copy, "photos") == []
    changes: list[Callable[[], None]] = [
        lambda: draw(photos / "dog/0.png", 1000),
        lambda: draw(photos / "dog/new.png", 1001),
        lambda: (photos / "dog/2.png").unlink(),
    ]
    for change in changes:
        change()
        assert stages_run(copy.dvc("repro", "prepare")) == ["prepare"]
        assert stages_run(copy.dvc("repro", "prepare")) == []


def test_a_folder_outside_the_repository_behind_a_link_and_with_spaces_is_taken(copy: Repository) -> None:
    outside = copy.path.parent / "my photos é 数"
    fill(outside)
    assert prepare(copy, f"'{outside}'") == ["prepare"]
    draw(outside / "dog/0.png", 1000)
    assert prepare(copy, f"'{outside}'") == ["prepare"]
    (copy.path / "my link").symlink_to(outside)
    assert prepare(copy, "'my link'") == ["prepare"]
    draw(outside / "dog/2.png", 1001)
    assert prepare(copy, "'my link'") == ["prepare"]
    assert prepare(copy, "'my link'") == []


def test_a_folder_in_dvc_is_taken_in_a_temporary_copy_too(copy: Repository) -> None:
    fill(copy.path / "photos")
    copy.dvc("add", "photos")
    copy.run("git", "add", "photos.dvc", ".gitignore")
    copy.run("git", "commit", "--quiet", "--message", "photos")
    shutil.rmtree(copy.path / "photos")
    copy.dvc("checkout", "photos")
    for options in ([], ["--temp", "--force"]):
        assert stages_run(copy.dvc("exp", "run", *options, "-S", "prepare.dataset=photos", "prepare")) == ["prepare"]


def test_a_refused_folder_is_reported_without_a_traceback(copy: Repository) -> None:
    fill(copy.path / "photos")
    draw(copy.path / "photos/dog/0.jpg", 1)
    (copy.path / "photos/dog/0.jpg").write_bytes(b"cat")
    output = copy.dvc("exp", "run", "-S", "prepare.dataset=photos", "prepare", status=255)
    assert "photos/dog/0.jpg: it is not an image in one of these formats, or is damaged" in output
    assert "Traceback" not in output
