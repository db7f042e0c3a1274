"""Files that are whole or not there: each is written beside its place and then renamed."""

import glob
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from vae.errors import InputError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write a file or a folder at; it takes the place of `path` if the block succeeds.

    The suffix is kept, since some writers look at it. After an error, what was at `path` is still there; after a kill
    too, or, between the two renames that exchange a folder, beside it, whence the next call brings it back. What else a
    process that is no more left beside `path` is removed first. All is on the disk before the rename: a power cut after
    it leaves no empty file.

    Raises:
        OSError: it cannot be written; names `path`, whatever the writer named.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    former = path.with_name(f".part-{os.getpid()}-former-{path.name}")
    try:
        for left in path.parent.glob(f".part-[0-9]*-{glob.escape(path.name)}"):
            process = left.name.split("-")[1]
            if _is_running(int(process)):
                continue
            if left.name == f".part-{process}-former-{path.name}" and not os.path.lexists(path):
                left.replace(path)  # killed between the two renames
            _remove(left)
        yield part
        if not part.exists():
            raise FileNotFoundError(f"Nothing was written for {path}.")
        for written in (part, *part.rglob("*")):
            _flush(written)
        if part.is_dir() and path.is_dir():
            path.replace(former)  # at once, which the removal of a folder is not
        part.replace(path)
    except OSError as error:
        if error.errno is None:  # not from the operating system
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        if os.path.lexists(former) and not os.path.lexists(path):  # between the two renames
            former.replace(path)
        _remove(part)
        _remove(former)


def _is_running(process: int) -> bool:
    """Whether there is a process of that number but this one."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _flush(path: Path) -> None:
    """Wait until the file, or the list of names that a folder is, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if not os.path.lexists(path):  # on a read-only file system, removing nothing is an error too
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content`, sections within sections, indented by two spaces, with a final line break.

    Raises:
        InputError: a figure is infinite or not a number, for which JSON has no word.
        OSError: as `whole`.
    """
    try:
        text = json.dumps(content, indent=2, allow_nan=False)
    except ValueError:
        figures = pd.json_normalize(content).iloc[0]
        wrong = [f"{key} = {value}" for key, value in figures.items() if re.search("NaN|Infinity", json.dumps(value))]
        raise InputError(
            f"{path} cannot hold {', '.join(wrong)}: if that is of a model that has gone astray, "
            "train it at a lower learning rate."
        ) from None
    with whole(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_csv(path: Path, *columns: str) -> pd.DataFrame:
    """The named columns of numbers of a table.

    Raises:
        InputError: it has no row, lacks a column, or is no CSV file.
        OSError: it cannot be read.
    """
    try:
        table = pd.read_csv(path)[[*columns]]
        if len(table):
            return table.astype(float)
        reason = "there is no row in it"
    except (KeyError, ValueError) as error:  # pandas's own, of parsing, are ValueErrors
        reason = " ".join(str(error).split())
    raise InputError(f"{path} is not a table with {', '.join(columns)} ({reason}); `dvc repro` makes it anew.")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write the table without its index; numbers to seven significant digits, as many as float32 has.

    Raises:
        OSError: as `whole`.
    """
    with whole(path) as part:
        table.to_csv(part, index=False, float_format="%.7g", lineterminator="\n")
