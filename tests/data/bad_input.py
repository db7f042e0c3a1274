"""What the tests of wrong data share: cases, the making of files, and what all refusals have in common."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

import prepare
from vae.stage import run_stage

NOISE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
IMAGES = np.random.default_rng(1).integers(0, 256, (9, 8, 8), np.uint8)
LABELS = np.arange(9) % 3
SKIPPING = MappingProxyType({"skip_unreadable": True})


ONE_OF_FOUR = "photos: 1 of 4 images cannot be read (prepare.skip_unreadable: true leaves them out):\n  photos/bad"
ONLY_ONE = (
    "photos contains {} to train with, but at least 7 images in all are needed to train, to validate and to test with."
)
SUFFIXES = ".png, .jpg, .jpeg, .jpe, .jfif, .webp, .bmp, .dib, .tif, .tiff, .gif are read."
FLOATS = (IMAGES / 255).astype(np.float32)


Make = Callable[[Path], object]


class Case(NamedTuple):
    """What is made in the working folder, what is asked for, and the error."""

    make: Make
    message: str
    dataset: str = "photos"
    options: Mapping[str, Any] = MappingProxyType({})


def png(array: NDArray[Any] = NOISE, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG", **options)
    return stream.getvalue()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


def files(**contents: bytes) -> Make:
    """Return a maker of files below `photos`; in their names, `__` stands for a slash and `_dot_` for a dot."""

    def make(folder: Path) -> None:
        for name, content in contents.items():
            path = folder / "photos" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return make


def with_good(name: str, content: bytes) -> Make:
    """Return a maker of three images and another file."""
    return files(a_dot_png=png(), b_dot_png=png(), c_dot_png=png(), **{name: content})


def folders(*names: str) -> Make:
    def make(folder: Path) -> None:
        for name in names:
            (folder / "photos" / name).mkdir(parents=True)

    return make


def changed(array: NDArray[Any], value: float) -> NDArray[Any]:
    copy = array.copy()
    copy.flat[7] = value
    return copy


def change(folder: Path, **options: Any) -> None:
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["prepare"] |= options
    (folder / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refusal(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the stage, check what all refusals have in common, and return the error."""
    before = tree(folder)
    with pytest.raises(SystemExit) as ended:
        run_stage(prepare.main)
    assert ended.value.code == 1
    assert tree(folder) == before
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert "Traceback" not in output.err
    return output.err.removeprefix("error: ").removesuffix("\n")


def expect(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Make the case, and compare its refusal with its sentence, or with the start if that has no full stop."""
    case.make(folder)
    change(folder, dataset=case.dataset, **case.options)
    message = refusal(folder, capsys)
    assert message == case.message or (case.message[-1:] != "." and message.startswith(case.message))
