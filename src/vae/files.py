"""Files that are whole or not there: each is written beside its place and then renamed."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write a file or a folder at; it takes the place of `path` if the block succeeds.

    The suffix is kept, since some writers look at it. After an error, what was at `path` is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield part
        if part.is_dir() and path.is_dir():
            shutil.rmtree(path)
        part.replace(path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` indented by two spaces, with a final line break."""
    with whole(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write the table without its index; numbers to seven significant digits, as many as float32 has."""
    with whole(path) as part:
        table.to_csv(part, index=False, float_format="%.7g", lineterminator="\n")
