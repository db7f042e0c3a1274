"""Own images instead of a published data set, as docs/your-images.md describes."""

import json
import re

import pytest

from repository import Repository, stages_run

pytestmark = pytest.mark.slow


def test_the_pipeline_runs_on_own_images(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = repository.copy(tmp_path_factory.mktemp("own") / "repository")
    document = (copy.path / "docs/your-images.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    (commands,) = re.findall(r"```console\n(.*?)```", document, re.DOTALL)
    copy.run(copy.python, "-c", code)
    outputs = [copy.dvc(*command.split()[1:]) for command in commands.splitlines()]
    assert stages_run(outputs[-1]) == ["train", "evaluate", "embed", "visualize", "baseline", "classify", "score"]
    assert json.loads(copy.dvc("metrics", "show", "--json"))
    assert "up to date" in copy.dvc("repro")
