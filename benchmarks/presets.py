"""The named settings in `params/`, each a file of what it sets in `params.yaml`.

`python -m benchmarks.presets NAME` prints a preset as options of `dvc exp run`:

    dvc exp run $(python -m benchmarks.presets flow)
"""

import argparse
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from vae.errors import InputError
from vae.stage import run_stage

FOLDER = Path("params")


def names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_preset(name: str) -> dict[str, object]:
    """Return the settings of a preset, by dotted key.

    Raises:
        InputError: there is no preset of that name, or its file has no sections with settings.
    """
    if name not in names():
        raise InputError(f"there is no preset {name!r}; {FOLDER}/ contains: {', '.join(names())}.")
    path = FOLDER / f"{name}.yaml"
    try:
        sections = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(sections, dict) or not all(
        isinstance(options, dict) and options for options in sections.values()
    ):
        raise InputError(f"{path} must contain sections of params.yaml, such as train, each with some of its settings.")
    return {f"{section}.{key}": value for section, options in sections.items() for key, value in options.items()}


def as_options(settings: dict[str, object]) -> list[str]:
    """Return settings by dotted key as the options of `dvc exp run` that make them."""
    return [word for key, value in settings.items() for word in ("-S", f"{key}={value}")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.presets", description="Print a preset's options.")
    parser.add_argument("name", help="a file in params/, without its suffix")
    print(*as_options(read_preset(parser.parse_args().name)))


if __name__ == "__main__":
    run_stage(main)
