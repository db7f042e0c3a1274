"""Imports between the rooms of src/ run downwards only, and in no circle."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from imports import SOURCES, imported_by, names_imported_by

# From the ground up. A module may import from lower floors and from its own room.
FLOORS = (
    {"errors"},
    {"history", "io", "stage"},
    {"settings"},
    {"card", "data"},
    {"model"},
    {"training"},
    {"evaluation"},
    {"plots"},
    {"inference"},
    {"exporting", "explorer", "sweeps"},
    {"cli"},
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in (SOURCES / "vae").rglob("*.py") if path != SOURCES / "vae/__init__.py")


def room(path: Path) -> str:
    return path.relative_to(SOURCES / "vae").parts[0].removesuffix(".py")


def test_every_module_is_in_a_room() -> None:
    assert {room(path) for path in MODULES} == set(HEIGHT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_imports_run_downwards(path: Path) -> None:
    for other in imported_by(path) - {SOURCES / "vae/__init__.py"}:
        assert room(other) == room(path) or HEIGHT[room(other)] < HEIGHT[room(path)], other


def test_imports_form_no_circle() -> None:
    # A package's own `__init__.py` is imported with each of its modules, and counts only where it is asked for.
    graph = {path: imported_by(path) - {parent / "__init__.py" for parent in path.parents} for path in MODULES}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_no_module_imports_a_stage_script_and_tensorflow_stays_above_the_data(path: Path) -> None:
    packages = {name.split(".")[0] for name in names_imported_by(path)}
    assert not packages & {script.stem for script in SOURCES.glob("*.py")}
    if HEIGHT[room(path)] < HEIGHT["model"]:
        assert not packages & {"tensorflow", "keras"}
