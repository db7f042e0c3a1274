"""`dvc.yaml` declares what each stage uses, and a changed parameter or module reruns what it must, and no more."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

from benchmarks.stages import read_stages
from imports import ROOT, closure
from vae.settings.prepare import NAMES


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


STAGES = read_stages(ROOT)
PARAMS = read(ROOT / "params.yaml")
OF_THE_MODEL = {"train", "evaluate", "embed", "visualize", "score", "explore"}
# The stages that a changed section reruns: its own and all that depend on their outputs.
RERUNS = {
    "seed": {*STAGES},
    "prepare": {*STAGES},
    "model": OF_THE_MODEL,
    "train": OF_THE_MODEL,
    "evaluate": {"evaluate", "visualize", "explore"},
    "embed": {"embed", "visualize", "score", "explore"},
    "visualize": {"visualize", "explore"},
    "baseline": {"baseline"},
    "classify": {"classify", "score"},
    "score": {"score", "explore"},
    "explore": {"explore"},
}


def covers(dependency: str, file: Path) -> bool:
    return file.is_relative_to(ROOT / dependency)


def sections_read(script: Path) -> set[str]:
    """Return the sections that a stage script asks `load_settings` for, and the seed, which comes with them."""
    calls = [
        node
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load_settings"
    ]
    return {
        "seed",
        *(argument.id.lower() for call in calls for argument in call.args if isinstance(argument, ast.Name)),
    }


def outputs_of(stage: str) -> list[str]:
    """Return the paths of a stage's outputs; one with options is a mapping from its path to them."""
    kinds = (STAGES[stage].get(kind, []) for kind in ("outs", "metrics", "plots"))
    return [next(iter(out)) if isinstance(out, dict) else out for outs in kinds for out in outs]


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_cover_what_the_stage_imports(stage: str) -> None:
    declared = [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    for file in closure(ROOT / f"src/{stage}.py"):
        assert [dep for dep in declared if covers(dep, file)], file


@pytest.mark.parametrize("stage", STAGES)
def test_no_module_is_declared_in_vain(stage: str) -> None:
    imported = closure(ROOT / f"src/{stage}.py")
    for dep in STAGES[stage]["deps"]:
        if dep.startswith("src/"):
            files = [ROOT / dep] if dep.endswith(".py") else list((ROOT / dep).rglob("*.py"))
            assert files
            assert set(files) <= imported, dep


@pytest.mark.parametrize("stage", ["prepare", "baseline"])
def test_a_stage_without_a_network_imports_no_tensorflow(stage: str) -> None:
    code = f"import sys; sys.path.insert(0, 'src'); import {stage}; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_the_sections_that_the_stage_reads(stage: str) -> None:
    assert set(STAGES[stage]["params"]) == sections_read(ROOT / f"src/{stage}.py")


def test_every_section_is_read_by_a_stage() -> None:
    assert {section for stage in STAGES.values() for section in stage["params"]} == set(PARAMS) == set(RERUNS)


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_are_outputs_of_other_stages_or_files_in_git(stage: str) -> None:
    outputs = {name for other in STAGES if other != stage for name in outputs_of(other)}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    in_git = set(listed.stdout.splitlines()) - outputs
    for dep in STAGES[stage]["deps"]:
        assert [name for name in outputs | in_git if Path(name).is_relative_to(dep)], dep


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which the pipeline counts as run: the outputs are stand-ins, committed to DVC as they are."""
    path = tmp_path_factory.mktemp("done")
    for name in ("dvc.yaml", "params.yaml", "requirements.txt", ".dvcignore"):
        shutil.copy(ROOT / name, path)
    (path / "data").mkdir()
    shutil.copy(ROOT / PARAMS["train"]["initial_weights"], path / "data")
    for name in NAMES:
        shutil.copy(ROOT / name, path / name, follow_symlinks=False)
        (path / "data/raw" / name).mkdir(parents=True)
        (path / "data/raw" / name / "README.md").touch()
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


@contextmanager
def changed(path: Path, content: str) -> Iterator[None]:
    original = path.read_text(encoding="utf-8")
    path.write_text(content, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(original, encoding="utf-8")


def out_of_date(repository: Path) -> set[str]:
    """Return the stages that DVC would run: those with a change, and all that use what they make."""
    with chdir(repository), Repo() as repo:
        return with_descendants(set(repo.status()))


def with_descendants(stages: set[str]) -> set[str]:
    outputs = [Path(name) for stage in stages for name in outputs_of(stage)]
    after = {
        stage
        for stage in STAGES
        for dep in STAGES[stage]["deps"]
        if [out for out in outputs if out.is_relative_to(dep)]
    }
    return stages if after <= stages else with_descendants(stages | after)


def another(value: Any) -> Any:
    """Return a different value of the same type."""
    return {int: lambda: value + 1, float: lambda: value / 2 + 0.1, str: lambda: value + "x"}[type(value)]()


@pytest.mark.parametrize("section", PARAMS)
def test_a_changed_parameter_reruns_the_stages_of_its_section_and_those_after(done: Path, section: str) -> None:
    params = read(done / "params.yaml")
    if isinstance(params[section], dict):
        key = next(iter(params[section]))
        params[section][key] = another(params[section][key])
    else:
        params[section] = another(params[section])
    with changed(done / "params.yaml", yaml.safe_dump(params)):
        assert out_of_date(done) == RERUNS[section]


def test_a_new_option_of_score_leaves_train_up_to_date(done: Path) -> None:
    module, params = done / "src/vae/settings/score.py", read(done / "params.yaml")
    params["score"]["another_option"] = 1
    field = '    another_option: int = Field(ge=1, description="Another option.")\n'
    with (
        changed(module, module.read_text(encoding="utf-8") + field),
        changed(done / "params.yaml", yaml.safe_dump(params)),
    ):
        assert out_of_date(done) == {"score", "explore"}


@pytest.mark.parametrize(
    ("module", "reruns"),
    [
        ("plots/charts.py", {"visualize", "explore"}),
        ("evaluation/frechet.py", {"score"}),
        ("evaluation/classifier.py", {"classify", "score"}),
        ("model/vae.py", RERUNS["model"]),
    ],
)
def test_a_changed_module_reruns_the_stages_that_import_it(done: Path, module: str, reruns: set[str]) -> None:
    path = done / "src/vae" / module
    with changed(path, path.read_text(encoding="utf-8") + "# changed\n"):
        assert out_of_date(done) == reruns


def test_new_pins_rerun_every_stage(done: Path) -> None:
    path = done / "requirements.txt"
    with changed(path, path.read_text(encoding="utf-8").replace("numpy==", "numpy==1!")):
        assert out_of_date(done) == set(STAGES)


def test_a_changed_checkpoint_to_start_from_reruns_the_training(done: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(done, tmp_path / "copy", symlinks=True))
    params = read(copy / "params.yaml")
    params["train"]["initial_weights"] = "start.keras"
    (copy / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (copy / "start.keras").write_text("one")
    with chdir(copy), Repo() as repo:
        repo.commit(force=True)
    assert out_of_date(copy) == set()
    (copy / "start.keras").write_text("another")
    assert out_of_date(copy) == RERUNS["train"]


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_file_of_a_published_data_set_reruns_everything_but_its_readme_does_not(
    done: Path, tmp_path: Path, name: str
) -> None:
    copy = Path(shutil.copytree(done, tmp_path / "copy", symlinks=True))
    params = read(copy / "params.yaml")
    params["prepare"]["dataset"] = name
    (copy / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    with chdir(copy), Repo() as repo:
        repo.commit(force=True)
    (copy / "data/raw" / name / "README.md").write_text("changed")
    assert out_of_date(copy) == set()
    (copy / "data/raw" / name / "train-images-idx3-ubyte.gz").write_text("new")
    assert out_of_date(copy) == set(STAGES)


def test_compiled_files_are_not_dependencies(done: Path) -> None:
    cached = done / "src/vae/model/__pycache__/vae.cpython-311.pyc"
    cached.parent.mkdir(exist_ok=True)
    cached.write_bytes(os.urandom(8))
    assert out_of_date(done) == set()
