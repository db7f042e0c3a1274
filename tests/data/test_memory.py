"""`prepare` and its readers never hold all images."""

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import prepare
from vae.data import shards
from vae.data.formats import folder
from vae.data.formats.options import Options
from vae.data.loading import load_data_set
from vae.data.splits import load_split

COUNT, SHAPE = 3000, (64, 64, 3)
ALL = COUNT * 64 * 64 * 3


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide what is read and written as if there were a hundred times as many images."""
    monkeypatch.setattr(shards, "TOGETHER", 2**18)
    monkeypatch.setattr(shards, "MAX_BYTES", 2**21)
    monkeypatch.setattr(folder, "AHEAD", 4)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", ["npz", "compressed npz", "idx", "folder"])
@pytest.mark.parametrize("image_size", [None, [72, 64]], ids=["as found", "resized"])
def test_prepare_needs_a_fraction_of_the_memory_of_all_images(
    working: Path, kind: str, image_size: list[int] | None
) -> None:
    name = make(working, kind)
    params = yaml.safe_load((working / "params.yaml").read_text())
    params["prepare"] |= {"dataset": name, "image_size": image_size}
    (working / "params.yaml").write_text(yaml.safe_dump(params))
    tracemalloc.start()
    try:
        prepare.main()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < ALL / 4
    splits = [load_split(working / f"data/prepared/{part}.npz") for part in ("train", "validation", "test")]
    values = sum(int(np.prod(split.images.shape)) for split in splits)
    assert values == (ALL if image_size is None else ALL * 72 // 64)
    assert len(list(working.glob("data/prepared/train.shards/*.npz"))) > 9


@pytest.mark.usefixtures("small_pieces")
def test_large_images_are_reduced_a_few_at_a_time(tmp_path: Path) -> None:
    images = np.zeros((60, 512, 512, 3), np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    tracemalloc.start()
    try:
        data = load_data_set(str(tmp_path / "images.npz"), Options(image_size=(64, 64)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data.train.images.shape == (60, 64, 64, 3)
    assert peak < images.nbytes / 4


def make(working: Path, kind: str) -> str:
    """Write images of that kind, and return their path."""
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.integers(256, size=(COUNT, 8, 64, 3), dtype=np.uint8), 8, axis=1)
    if kind == "idx":
        (working / "idx").mkdir()
        header = b"\0\0\x08\x03" + np.array([COUNT * 3, 64, 64], ">u4").tobytes()
        (working / "idx/train-images-idx3-ubyte").write_bytes(header + levels.tobytes())
        return "idx"
    if kind == "folder":
        for number, image in enumerate(levels):
            path = working / f"photos/{number % 7}/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if number < 100:
                Image.fromarray(image).save(path)
            else:
                shutil.copy(working / f"photos/{number % 100 % 7}/{number % 100}.png", path)
        return "photos"
    (np.savez if kind == "npz" else np.savez_compressed)(working / "images.npz", images=levels)
    return "images.npz"
