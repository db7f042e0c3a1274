"""Parts of the images: one after the other, they give exactly what one worker gives, from every source."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vae
from tests.trained import LEVELS, SHAPE, trained, write_photos
from vae.data.binarization import binarize
from vae.data.formats.dataset import DataSet
from vae.data.formats.npz import read_npz
from vae.errors import InputError
from vae.inference import sources
from vae.inference.operations import Arrays, collected
from vae.inference.parts import Part, parse_part, places_of
from vae.inference.sources import Source


@pytest.fixture(scope="module")
def model() -> vae.VAE:
    return trained()


def require_equal(parts: list[Arrays], whole: Arrays) -> None:
    joined = collected(parts)
    assert [*joined] == [*whole]
    for name, values in whole.items():
        np.testing.assert_array_equal(joined[name], values)


@pytest.mark.parametrize("total", [1, 499, 500, 501, 70_001])
@pytest.mark.parametrize("batch_size", [1, 64, 500])
def test_parts_are_consecutive_begin_with_a_batch_and_differ_by_one_batch_at_most(total: int, batch_size: int) -> None:
    for of in {1, min(7, -(-total // batch_size))}:
        parts = [places_of(Part(number, of), total, batch_size) for number in range(1, of + 1)]
        assert [place for part in parts for place in part] == [*range(total)]
        assert all(part.start % batch_size == 0 for part in parts)
        batches = [-(-len(part) // batch_size) for part in parts]
        assert max(batches) - min(batches) <= 1


def source_of(kind: str, folder: Path) -> Source:
    if kind == "array":
        return LEVELS
    if kind == "folder and file":
        return [folder / "photos", write_photos(folder / "photos")[0]]
    if kind == "idx":
        header = np.array([0x803, 7, *SHAPE[:2]], ">i4").tobytes()
        (folder / "train-images-idx3-ubyte").write_bytes(header + LEVELS.tobytes())
        return folder
    np.savez(folder / "1.npz", x_train=LEVELS[:3], x_test=LEVELS[3:4], y_train=[0, 1, 2], y_test=[0])
    np.savez_compressed(folder / "2.npz", images=np.repeat(LEVELS[4:], 2, axis=1))  # which is resized
    return f"{folder}/*.npz"


@pytest.mark.parametrize("kind", ["array", "folder and file", "idx", "shards"])
def test_the_parts_of_every_source_are_the_whole(kind: str, model: vae.VAE, tmp_path: Path) -> None:
    source = source_of(kind, tmp_path)
    whole = vae.encode(source, model, batch_size=2)
    for of in (1, 2, 3, 4):
        parts = [vae.encode(source, model, batch_size=2, part=(number, of)) for number in range(1, of + 1)]
        require_equal(parts, whole)
        assert len(parts[-1]["name"]) < 7 or of == 1


def test_draws_and_batches_do_not_depend_on_unreadable_files(tmp_path: Path) -> None:
    model = trained(likelihood="binarized")
    paths = write_photos(tmp_path)
    order = [int(path.stem) for path in paths if path != paths[1]]
    paths[1].write_bytes(b"no image")
    choices: dict[str, Any] = {"batch_size": 2, "skip_unreadable": True}
    whole = vae.reconstruct(tmp_path, model, **choices)
    require_equal([vae.reconstruct(tmp_path, model, part=(i, 3), **choices) for i in (1, 2, 3)], whole)
    levels = LEVELS.astype(np.float32) / np.float32(255)
    places = [0, 2, 3, 4, 5, 6]
    expected = [binarize(levels[number][np.newaxis], first=place) for number, place in zip(order, places, strict=True)]
    np.testing.assert_array_equal(whole["original"], np.concatenate(expected))


def test_a_worker_reads_only_the_archives_of_its_part(
    model: vae.VAE, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        np.savez(tmp_path / f"{number}.npz", images=LEVELS[:4])
    read: list[str] = []

    def read_and_record(path: Path, options: object) -> DataSet:
        read.append(path.name)
        return read_npz(path, options)

    monkeypatch.setattr(sources, "read_npz", read_and_record)
    found = vae.encode(f"{tmp_path}/*.npz", model, batch_size=2, part=(2, 3))  # the batches 2 to 4 of 8
    assert read == ["1.npz", "2.npz"]
    assert found["name"].tolist() == ["0", "1", "2", "3", "0", "1"]


def test_a_pattern_stands_for_the_latents_of_all_parts(model: vae.VAE, tmp_path: Path) -> None:
    whole: Any = vae.encode(LEVELS, model, batch_size=2)
    for number in (1, 2, 3):
        part: Any = vae.encode(LEVELS, model, batch_size=2, part=(number, 3))
        np.savez(tmp_path / f"{number}.npz", **part)
    found = vae.decode(f"{tmp_path}/*.npz", model)
    assert found["name"].tolist() == whole["name"].tolist()
    np.testing.assert_allclose(found["image"], vae.decode(whole["z_mean"], model)["image"], rtol=1e-5, atol=1e-6)
    np.savez(tmp_path / "whole", **whole)
    drawn = vae.sample(5, model, latents=tmp_path / "[123].npz", components=1, seed=1)["z"]
    np.testing.assert_array_equal(
        drawn, vae.sample(5, model, latents=tmp_path / "whole.npz", components=1, seed=1)["z"]
    )


@pytest.mark.parametrize("text", ["9/8", "0/8", "0/0", "x", "1/", "-1/8", "1.0/8", "2/8/8", ""])
def test_what_is_not_a_part_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^the part is .*, but must be I/N with I from 1 to N, such as 2/8\.$"):
        parse_part(text)


def test_more_parts_than_batches_are_refused_by_every_worker(model: vae.VAE) -> None:
    for number in (1, 5):
        with pytest.raises(InputError, match=r"^7 images in batches of 2 make 4 parts at most, but 5 are wanted; "):
            vae.encode(LEVELS, model, batch_size=2, part=(number, 5))
