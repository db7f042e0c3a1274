"""YAML as the loader reads it: like DVC, safely, and with one line for a file that is not valid."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import load_yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vae.errors import InputError
from vae.settings import Section
from vae.settings.loader import load_settings


class Probe(Section):
    """A section that accepts any value."""

    value: Any


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the file that a test, or each example of a property, writes."""
    return tmp_path_factory.mktemp("settings") / "params.yaml"


def write_value(file: Path, text: str) -> None:
    file.write_text(f"seed: 1\nprobe:\n  value: {text}\n", encoding="utf-8")


def refusal(path: Path) -> str:
    """Return the error in the file, without its name at the start."""
    with pytest.raises(InputError) as refused:
        load_settings(Probe, path=path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert message.isprintable()
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("2E-4", 0.0002),
        (".5e+1", 5.0),
        ("1", 1),
        ("1.", 1.0),
        ("+0.1", 0.1),
        ("010", 10),
        ("0o10", 8),
        ("0x10", 16),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_are_those_of_yaml_1_2_as_in_dvc(file: Path, text: str, value: Any) -> None:
    write_value(file, text)
    (_, probe), dvc = load_settings(Probe, path=file), load_yaml(file)["probe"]["value"]
    assert (type(probe.value), probe.value) == (type(dvc), dvc) == (type(value), value)


def test_an_alias_is_its_value(file: Path) -> None:
    file.write_text("seed: &same 3\nprobe: {value: *same}\n")
    assert load_settings(Probe, path=file) == (3, Probe(value=3))


NO_MAPPING = " must contain a mapping of sections (seed, probe)."


@pytest.mark.parametrize("content", ["- seed: 1\n", "", "# seed: 1\n", "seed\n"])
def test_a_file_without_sections_is_refused(file: Path, content: str) -> None:
    file.write_text(content)
    assert refusal(file) == NO_MAPPING


INVALID = {
    "key twice": ("seed: 1\nseed: 2\n", "line 2, column 1"),
    "key of a section twice": ("seed: 1\nprobe: {value: 1, value: 1}\n", "line 2, column 19"),
    "unclosed": ("seed: [1\n", "line 2, column 1"),
    "tab": ("probe:\n\tvalue: 1\n", "line 2, column 1"),
    "indented by one": ("seed: 1\n probe: {}\n", "line 2, column 7"),
    "two documents": ("seed: 1\n---\nseed: 2\n", "line 2, column 1"),
    "unknown alias": ("seed: *none\n", "line 1, column 7"),
    "unknown tag": ("seed: !mine 1\n", "line 1, column 7"),
    "tag of a mapping for a word": ("seed: !!map x\n", "line 1, column 7"),
}


@pytest.mark.parametrize(("content", "place"), INVALID.values(), ids=INVALID)
def test_invalid_yaml_is_refused_with_its_place(file: Path, content: str, place: str) -> None:
    file.write_text(content)
    assert re.fullmatch(rf" is not valid YAML: .+ \({place}\)\.", refusal(file))


@pytest.mark.parametrize(
    "text",
    ["!!bool x", "!!int", "!!int x", "!!timestamp x", "2026-02-30", "9" * 5000, "\0", "[" * 600, "- " * 8000],
    ids=lambda text: repr(text[:12]),
)
def test_values_that_cannot_be_read_are_refused(file: Path, text: str) -> None:
    file.write_text(f"seed: {text}\n")
    assert refusal(file).startswith(" is not valid YAML: ")


def test_a_file_that_is_not_utf8_is_refused(file: Path) -> None:
    file.write_bytes(b"seed: 1 # \xe9t\xe9\n")
    assert refusal(file) == " is not UTF-8 text (byte 11)."


@pytest.mark.parametrize("character", ["[", "{a: ", "- ", "#"])
def test_a_file_too_long_for_the_stack_of_the_parser_is_refused(file: Path, character: str) -> None:
    file.write_text(character * 300_000)
    assert refusal(file) == " has more than 16384 characters."


def test_a_tag_that_would_run_code_runs_nothing(file: Path) -> None:
    made = file.with_name("made")
    file.write_text(f"seed: !!python/object/apply:os.mkdir [{made}]\n")
    assert refusal(file).startswith(" is not valid YAML: ")
    assert not made.exists()
    yaml.unsafe_load(file.read_text())
    assert made.exists()  # so the tag works


BILLION = ", ".join(f"&a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(30))


@pytest.mark.parametrize("value", ["&a [*a]", "&a {value: *a}", f"[&a0 [x], {BILLION}]"], ids=["list", "map", "10**30"])
def test_an_endless_alias_is_abbreviated(file: Path, value: str) -> None:
    file.write_text(f"seed: {value}\nprobe: {{value: 1}}\n")
    message = refusal(file)
    assert message.startswith(": seed is ")
    assert len(message) < 400


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "params.yaml") == " cannot be read: No such file or directory."
    assert refusal(tmp_path) == " cannot be read: Is a directory."


TAGS = [
    f"!!{name} " for name in ("int", "float", "bool", "timestamp", "binary", "omap", "set", "null", "python/name:x")
]
SYNTAX = [
    "seed",
    "probe",
    "value",
    ": ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "? ",
    "'",
    '"',
    "|",
    "<<: ",
]
SCALARS = [
    "1",
    ".5",
    "1e-3",
    "010",
    "1:30",
    "2026-02-30",
    "~",
    "é",
    "\x85",
    "\ufeff",
    "\x7f",
    "\t",
    "%YAML 1.1\n",
    "---\n",
]
TEXTS = st.lists(st.sampled_from([*TAGS, *SYNTAX, *SCALARS]), max_size=12).map("".join)


@settings(max_examples=50, deadline=None)
@given(TEXTS | st.binary(max_size=40))
@example("!!bool x")
@example("!!timestamp \ufeff")
@example("<<: [{seed: 1}]")
def test_any_file_is_read_or_refused_in_printable_lines(file: Path, content: str | bytes) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = value_or_refusal(file)
    if isinstance(found, InputError):
        assert all(line.startswith(str(file)) and line.isprintable() for line in str(found).split("\n"))


@settings(max_examples=50, deadline=None)
@given(TEXTS.map(lambda text: text.replace("\n", "\n    ")))
def test_any_value_is_read_as_dvc_reads_it_or_refused(file: Path, text: str) -> None:
    write_value(file, text)
    found = value_or_refusal(file)
    if not isinstance(found, InputError):
        assert repr(found.value) == repr(load_yaml(file)["probe"]["value"])


def value_or_refusal(file: Path) -> Probe | InputError:
    try:
        return load_settings(Probe, path=file)[1]
    except InputError as refused:
        return refused
