import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from benchmarks.effects import CHANGES
from vae.settings.__main__ import main as check_settings


@pytest.mark.parametrize("settings", CHANGES.values(), ids=CHANGES)
def test_every_change_sets_an_allowed_value_that_params_yaml_does_not_have(
    settings: dict[str, object], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(root / "params.yaml", tmp_path)
    params = YAML().load(Path("params.yaml"))
    for key, value in settings.items():
        section, name = key.split(".")
        assert params[section][name] != value
        params[section][name] = value
    YAML().dump(params, Path("params.yaml"))
    check_settings()
