"""A remote for a team, as docs/experiments.md describes: one clone pushes its results, and another pulls them."""

import re
import shlex

import pytest

from repository import Repository, stages_run

pytestmark = pytest.mark.slow


def test_a_clone_pulls_the_results_and_has_nothing_to_run(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shared")
    ours = repository.copy(folder / "ours/repository")
    for key, value in {"user.name": "test", "user.email": "test@example.org"}.items():
        ours.run("git", "config", key, value)
    document = (ours.path / "docs/experiments.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```console\n(dvc remote add .*?)```", document, re.DOTALL)
    for line in commands.replace("/shared/vae-pipeline", str(folder / "remote")).splitlines():
        program, *arguments = shlex.split(line)
        ours.run(*([ours.python, "-m", "dvc"] if program == "dvc" else [program]), *arguments)

    (folder / "theirs").mkdir()
    theirs = folder / "theirs/repository"
    ours.run("git", "clone", "--quiet", ".", str(theirs))
    clone = Repository(theirs)
    clone.dvc("pull")
    output = clone.dvc("repro")
    assert stages_run(output) == []
    assert "up to date" in output
    assert clone.run("git", "status", "--porcelain") == ""
