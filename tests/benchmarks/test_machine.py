import subprocess
from pathlib import Path

import pytest

from benchmarks.machine import facts


def test_facts_name_the_commit_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert facts()["commit"] is None
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *command], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert head.startswith(facts()["commit"])
