"""That `dvc.yaml` tells the truth about the stages, and that a changed parameter reruns what it must, and no more."""

import ast
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

STAGES = ("prepare", "train", "evaluate", "embed", "visualize", "baseline", "classify", "score")

# What a change of each leaf reruns: its own stage and all that depend on it.
RERUNS = {
    "seed": set(STAGES),
    "prepare": set(STAGES),
    "train": {"train", "evaluate", "embed", "visualize", "score"},
    "evaluate": {"evaluate", "visualize"},
    "embed": {"embed", "visualize", "score"},
    "visualize": {"visualize"},
    "baseline": {"baseline"},
    "classify": {"classify", "score"},
    "score": {"score"},
}


def leaves(params: dict[str, Any]) -> dict[str, Any]:
    """Values by dotted key."""
    return {
        dotted: value
        for key, content in params.items()
        for dotted, value in (
            {f"{key}.{inner}": value for inner, value in content.items()}
            if isinstance(content, dict)
            else {key: content}
        ).items()
    }


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


ROOT = Path(__file__).parents[1]
DECLARED = read(ROOT / "dvc.yaml")["stages"]
LEAVES = leaves(read(ROOT / "params.yaml"))


def imported(script: Path) -> set[Path]:
    """The script and all modules of the library that it imports, directly or not, packages included."""
    found, waiting = set(), {script}
    while waiting:
        path = waiting.pop()
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                parts = name.split(".")
                if parts[0] == "vae":
                    candidates = [ROOT / "src" / Path(*parts).with_suffix(".py")]
                    candidates += [ROOT / "src" / Path(*parts[:n]) / "__init__.py" for n in range(1, len(parts) + 1)]
                    waiting |= {candidate for candidate in candidates if candidate.exists()} - found
    return found


def settings_read(paths: set[Path], section: str) -> set[str]:
    """The keys of `params.yaml` that code reads: attributes of `settings` there, and the seed if `main` takes it."""
    keys = set()
    for path in paths:
        if path.name == "settings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings":
                keys.add(f"{section}.{node.attr}")
            if isinstance(node, ast.Name) and node.id == "seed" and isinstance(node.ctx, ast.Store):
                keys.add("seed")
    return keys


def outputs_of(stage: str) -> list[str]:
    """The paths; an output with options is a mapping from its path to them."""
    kinds = (DECLARED[stage].get(kind, []) for kind in ("outs", "metrics", "plots"))
    return [next(iter(out)) if isinstance(out, dict) else out for outs in kinds for out in outs]


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_are_the_modules_that_the_stage_imports(stage: str) -> None:
    declared = {dep for dep in DECLARED[stage]["deps"] if dep.startswith("src/")}
    assert declared == {path.relative_to(ROOT).as_posix() for path in imported(ROOT / f"src/{stage}.py")}


@pytest.mark.parametrize("stage", ["prepare", "baseline"])
def test_a_stage_that_computes_no_network_imports_no_tensorflow(stage: str) -> None:
    code = f"import sys; sys.path.insert(0, 'src'); import {stage}; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_the_settings_that_the_stage_reads(stage: str) -> None:
    assert set(DECLARED[stage]["params"]) == settings_read(imported(ROOT / f"src/{stage}.py"), stage)


def test_every_parameter_is_read_by_a_stage() -> None:
    assert {key for stage in STAGES for key in DECLARED[stage]["params"]} == set(LEAVES)


@pytest.mark.parametrize("stage", STAGES)
def test_data_dependencies_are_outputs_of_other_stages(stage: str) -> None:
    outputs = {name for other in STAGES for name in outputs_of(other)}
    assert {dep for dep in DECLARED[stage]["deps"] if not dep.startswith("src/")} <= outputs


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which the pipeline counts as run: the outputs are stand-ins, committed to DVC as they are."""
    path = tmp_path_factory.mktemp("done")
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, path)
    shutil.copytree(ROOT / "src", path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for stage in STAGES:
        for name in outputs_of(stage):
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(target.name)
    with chdir(path), Repo.init(no_scm=True) as repo:
        repo.commit(force=True)
        assert repo.status() == {}
    return path


def descendants(changed: set[str]) -> set[str]:
    """The changed stages and all that take in what they put out, directly or not."""
    outputs = {name for stage in changed for name in outputs_of(stage)}
    after = {stage for stage in STAGES if outputs & set(DECLARED[stage]["deps"])}
    return changed if after <= changed else descendants(changed | after)


def another(value: Any) -> Any:
    """A value of the same kind that differs."""
    return {int: lambda: value + 1, float: lambda: value / 2 + 0.1, str: lambda: value + "x"}[type(value)]()


@pytest.mark.parametrize("key", LEAVES)
def test_a_changed_parameter_reruns_its_stage_and_those_after_it(done: Path, key: str) -> None:
    section, _, leaf = key.partition(".")
    params = read(done / "params.yaml")
    if leaf:
        params[section][leaf] = another(params[section][leaf])
    else:
        params[section] = another(params[section])
    original = (done / "params.yaml").read_text(encoding="utf-8")
    (done / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    try:
        with chdir(done), Repo() as repo:
            status = repo.status()
    finally:
        (done / "params.yaml").write_text(original, encoding="utf-8")
    assert descendants(set(status)) == RERUNS[section]
