"""The loader of `params.yaml`: what it returns, and the sentence for each kind of error.

The sections here are examples of the test, so that a new option of the pipeline changes nothing.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from vae.errors import InputError
from vae.settings import Section
from vae.settings.loader import load_settings, validate


class Camera(Section):
    width: int = Field(ge=1, le=4096)
    exposure: float = Field(gt=0, le=10)
    colours: Literal["grey", "rgb"]


class Printer(Section):
    copies: int = Field(ge=1, le=100)


CAMERA = {"width": 640, "exposure": 0.5, "colours": "rgb"}
PARAMS: dict[Any, Any] = {"seed": 7, "camera": CAMERA, "printer": {"copies": 3}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "params.yaml"


def write(file: Path, params: dict[Any, Any]) -> Path:
    YAML(typ="safe").dump(params, file)
    return file


def with_camera(**changes: Any) -> dict[Any, Any]:
    """Return the parameters with changes to the section `camera`."""
    return PARAMS | {"camera": CAMERA | changes}


def without(key: str) -> dict[Any, Any]:
    """Return the parameters without a key of the section `camera`."""
    return PARAMS | {"camera": {name: value for name, value in CAMERA.items() if name != key}}


def message(path: Path, others: Literal["ignore", "forbid"] = "forbid") -> str:
    """Return the error in the file, with FILE in place of its name at the start of each line."""
    with pytest.raises(InputError) as refused:
        validate(path, (Camera, Printer), others)
    lines = str(refused.value).split("\n")
    assert all(line.startswith(f"{path}: ") and line.isprintable() for line in lines)
    return "\n".join("FILE" + line.removeprefix(str(path)) for line in lines)


def test_the_seed_and_the_sections_are_returned_in_the_order_of_the_call(file: Path) -> None:
    seed, printer, camera = load_settings(Printer, Camera, path=write(file, PARAMS))
    assert (seed, printer.model_dump(), camera.model_dump()) == (7, {"copies": 3}, CAMERA)


def test_the_file_is_params_yaml_in_the_working_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, PARAMS)
    monkeypatch.chdir(file.parent)
    assert load_settings(Printer) == (7, Printer(copies=3))


def test_settings_cannot_be_changed(file: Path) -> None:
    _, printer = load_settings(Printer, path=write(file, PARAMS))
    with pytest.raises(ValidationError):
        printer.copies = 1


KNOWN = "known are width, exposure, colours."
SECTION = "but must be a section with width, exposure, colours."
WRONG_KEYS: dict[str, tuple[dict[Any, Any], str]] = {
    "missing": (without("width"), "camera.width is missing."),
    "missing section": ({"seed": 7, "printer": {"copies": 3}}, "camera is missing."),
    "unknown": (with_camera(zoom=2), f"camera.zoom is unknown; {KNOWN}"),
    "unknown section": (PARAMS | {"gpu": {}}, "gpu is unknown; known are seed, camera, printer."),
    "not a string": (PARAMS | {1: 2}, "1 is unknown; known are seed, camera, printer."),
    "with a line break": (with_camera(**{"a\nb": 1}), rf"camera.'a\nb' is unknown; {KNOWN}"),
    "empty": (with_camera(**{"": 1}), f"camera.'' is unknown; {KNOWN}"),
    "not a section": (PARAMS | {"camera": 5}, f"camera is 5, {SECTION}"),
    "empty section": (PARAMS | {"camera": None}, f"camera is None, {SECTION}"),
}


@pytest.mark.parametrize(("params", "sentence"), WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_wrong_key_is_reported_with_the_known_keys(file: Path, params: dict[Any, Any], sentence: str) -> None:
    assert message(write(file, params)) == f"FILE: {sentence}"


@pytest.mark.parametrize("misspelt", ["widt", "widths", "WIDTH"])
def test_a_misspelt_key_is_reported_once_with_the_right_one(file: Path, misspelt: str) -> None:
    params = without("width")
    params["camera"][misspelt] = 640
    assert message(write(file, params)) == f"FILE: camera.{misspelt} is unknown; did you mean width?"


def test_a_misspelt_section_is_reported_once_with_the_right_one(file: Path) -> None:
    params = {"seed": 7, "printer": {"copies": 3}, "camra": CAMERA}
    assert message(write(file, params)) == "FILE: camra is unknown; did you mean camera?"


WRONG_VALUES: dict[str, tuple[str, Any, str]] = {
    "text for an integer": ("width", "640", "'640', but must be .*integer"),
    "fraction for an integer": ("width", 640.0, r"640\.0, but must be .*integer"),
    "truth value for a number": ("exposure", True, "True, but must be .*number"),
    "list for a number": ("exposure", [1], r"\[1\], but must be .*number"),
    "nothing for a number": ("exposure", None, "None, but must be .*number"),
    "NaN": ("exposure", float("nan"), "nan, but must be .*finite.*"),
    "infinity": ("exposure", float("inf"), "inf, but must be .*finite.*"),
    "too large for floating point": ("exposure", 10**400, r"10+\.\.\.0+, but must be .*"),
    "below a limit": ("width", 0, "0, but must be .*1"),
    "at a limit that is excluded": ("exposure", 0, "0, but must be .*0"),
    "above a limit": ("width", 4097, "4097, but must be .*4096"),
    "another word": ("colours", "cmyk", "'cmyk', but must be .*'grey'.*'rgb'.*"),
    "long text": ("width", "8" * 99, r"'8+\.\.\.8+', but must be .*"),
    "line break": ("width", "8\n", r"'8\\n', but must be .*"),
}


@pytest.mark.parametrize(("key", "value", "pattern"), WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_wrong_value_is_reported_with_what_is_allowed(file: Path, key: str, value: Any, pattern: str) -> None:
    sentence = message(write(file, with_camera(**{key: value})))
    assert re.fullmatch(rf"FILE: camera\.{key} is {pattern}\.", sentence)
    assert len(sentence) < 200


def test_a_value_that_python_refuses_to_print_is_reported(file: Path) -> None:
    write(file, PARAMS)
    file.write_text(file.read_text().replace("640", "0x" + "f" * 5000))
    assert message(file).startswith("FILE: camera.width is a number of thousands of digits, but must be ")


def test_two_errors_are_reported_on_two_lines(file: Path) -> None:
    first, second = message(write(file, with_camera(width=0) | {"seed": -1})).splitlines()
    assert first.startswith("FILE: seed is -1, but must be ")
    assert second.startswith("FILE: camera.width is 0, but must be ")


@pytest.mark.parametrize("changes", [{"camera": 5}, {"camera": {}}, {"gpu": 1}, {1: 2}], ids=str)
def test_an_error_outside_the_sections_of_a_stage_does_not_stop_it(file: Path, changes: dict[Any, Any]) -> None:
    write(file, PARAMS | changes)
    assert load_settings(Printer, path=file) == (7, Printer(copies=3))
    assert message(file).startswith("FILE: ")  # from the check of all sections


def test_the_command_reports_every_error_in_all_sections(root: Path, file: Path) -> None:
    text = (root / "params.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("seed: 1", "seed: -1\ngpu: 0").replace("perplexity", "perplexty"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "vae.settings"], cwd=file.parent, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    seed, perplexity, gpu = sorted(done.stderr.splitlines(), key=lambda line: "seed is" not in line)
    assert seed.startswith("error: params.yaml: seed is -1, but must be ")
    assert perplexity == "params.yaml: visualize.perplexty is unknown; did you mean perplexity?"
    assert gpu.startswith("params.yaml: gpu is unknown; known are seed, prepare, ")


def test_the_command_accepts_the_committed_file(root: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "vae.settings"], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
