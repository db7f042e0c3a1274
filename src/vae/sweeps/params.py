"""The `params.yaml` of a trial."""

import difflib
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

from vae.errors import InputError
from vae.io.whole import whole
from vae.settings.__main__ import SECTIONS
from vae.settings.combinations import check_together
from vae.settings.loader import validate
from vae.settings.prepare import require_data_set


class _Representer(RoundTripRepresenter):  # type: ignore[misc, unused-ignore]
    """Writes null as this file does, and not as nothing."""


_Representer.add_representer(type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null"))


def write_params(source: Path, settings: dict[str, Any], target: Path) -> None:
    """Write `params.yaml` with other settings, and with its comments.

    Args:
        source: the file to start from, which is valid.
        settings: the settings to change, by dotted key.
        target: the file to write.

    Raises:
        InputError: there is no such key.
        OSError: a file cannot be read or written.
    """
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 2**16  # no line breaks of ours
    params = yaml.load(source)
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        place = params.get(section) if section else params
        if not isinstance(place, dict) or name not in place or isinstance(place[name], dict):
            raise InputError(f"{key} is not in params.yaml{_hint(key, params)}")
        place[name] = value
    with whole(target) as part:
        yaml.dump(params, part)


def _hint(key: str, params: dict[str, Any]) -> str:
    sections = {name: value for name, value in params.items() if isinstance(value, dict)}
    known = [f"{section}.{name}" for section, names in sections.items() for name in names]
    close = difflib.get_close_matches(key, [*known, *(params.keys() - sections.keys())], n=1)
    return f"; did you mean {close[0]}?" if close else "."


def check_params(source: Path, settings: dict[str, Any]) -> int:
    """Check `params.yaml` with other settings as `make params` does, and return the epochs of the training at most.

    Args:
        source: the file, which is valid.
        settings: the settings to change, by dotted key.

    Raises:
        InputError: a setting is invalid, two of them do not fit together, or there is no such data set.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        write_params(source, settings, path)
        try:
            params = validate(path, SECTIONS, others="forbid")
            check_together(**dict(params.model), **dict(params.train))
            require_data_set(params.prepare.dataset)
        except InputError as error:
            raise InputError(str(error).replace(f"{path}: ", "")) from None
    epochs: int = params.train.epochs
    return epochs
