import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([\w.-]+)(?:\[(.*)\])?==", re.MULTILINE)


@pytest.mark.parametrize(
    "files", [["requirements.txt"], ["requirements.txt", "requirements-dev.txt"]], ids=["pipeline", "tests"]
)
def test_the_pins_name_every_extra_that_a_pinned_package_asks_for(files: list[str]) -> None:
    # pip before 23.3, which Python 3.11 brings, takes `coverage[toml]` for unpinned beside a pinned `coverage`, and
    # refuses to install it as soon as a newer release is out.
    pinned: dict[str, set[str]] = {}
    for file in files:
        for name, extras in PIN.findall((ROOT / file).read_text(encoding="utf-8")):
            pinned.setdefault(canonicalize_name(name), set()).update(re.findall(r"[\w.-]+", extras))
    asked = {
        (canonicalize_name(requirement.name), extra)
        for distribution in distributions()
        if canonicalize_name(distribution.name) in pinned
        for requirement in map(Requirement, distribution.requires or [])
        if not requirement.marker or requirement.marker.evaluate({"extra": ""})
        for extra in requirement.extras
    }
    assert {(name, extra) for name, extra in asked if extra not in pinned[name]} == set()
    assert asked
