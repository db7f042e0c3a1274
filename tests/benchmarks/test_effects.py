from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.effects import CHANGES
from vae.settings import Params


@pytest.mark.parametrize("settings", CHANGES.values(), ids=CHANGES)
def test_a_change_is_of_settings_that_may_have_those_values_and_have_others(
    settings: dict[str, object], root: Path
) -> None:
    params: dict[str, Any] = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    for key, value in settings.items():
        section, name = key.split(".")
        assert params[section][name] != value
        params[section][name] = value
    Params.model_validate(params)
