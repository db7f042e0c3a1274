"""What the modules of this project import, read from their text."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
FACADE = SOURCES / "vae/__init__.py"


def imported_by(path: Path) -> set[Path]:
    """Return the files of this project that a module imports itself, the packages on their way included.

    `vae/__init__.py` imports the model only when a user asks for it, inside its functions: those imports do not count.
    """
    files = set()
    for parts in (name.split(".") for name in names_imported_by(path)):
        if parts[0] == "vae":
            files |= {SOURCES.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)}
            files.add(SOURCES.joinpath(*parts).with_suffix(".py"))
    return {file for file in files if file.exists()}


def names_imported_by(path: Path) -> set[str]:
    """Return the dotted names of modules, and of what is imported from them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body if path == FACADE else ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def closure(script: Path) -> set[Path]:
    """Return the script and all files of this project that it imports, directly or not."""
    found: set[Path] = set()
    waiting = {script}
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= imported_by(path) - found
    return found
