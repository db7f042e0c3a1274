"""The documents: the README's size, links, paths and parameters. `make lint` checks the generated tables."""

import re
import unicodedata
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

from docs.pipeline_tables import outputs, stages
from docs.tables import ROOT, params

README = ROOT / "README.md"
# The changelog names what is gone.
DOCUMENTS = [
    README,
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "data/raw").glob("*/README.md")),
]
FOLDERS = ("src", "tests", "benchmarks", "docs", "reports", "data", "models")
MADE_WHILE_RUNNING = {"models/unfinished/", "models/.training.lock", "data/raw/<dataset>/"}
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: document.relative_to(ROOT).as_posix()
)


def prose(document: Path) -> str:
    """The text without code blocks."""
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), flags=re.MULTILINE)
    kept = (
        "".join(c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN") for heading in headings
    )
    return {heading.replace(" ", "-") for heading in kept}


def test_the_readme_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 1100


def test_the_readme_has_one_example_in_python() -> None:
    assert len(re.findall(r"^```python$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)) == 1


@each_document
def test_relative_links_and_images_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        linked = document.parent / path if path else document
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


@each_document
def test_paths_exist_or_are_outputs(document: Path) -> None:
    made = [path for stage in stages().values() for path in outputs(stage)]
    for path in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^`\s]*)`", prose(document)):
        is_made = any(fnmatch(output, path) or PurePosixPath(output).is_relative_to(path) for output in made)
        known = is_made or path in MADE_WHILE_RUNNING or any(ROOT.glob(path))
        assert known, path


@each_document
def test_commands_set_parameters_that_exist(document: Path) -> None:
    for section, key in re.findall(r"-S (\w+)\.(\w+)=", document.read_text(encoding="utf-8")):
        assert key in params()[section], f"{section}.{key}"
