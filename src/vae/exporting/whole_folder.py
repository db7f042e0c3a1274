"""Folders that are whole or absent: each is written under a temporary name and then renamed."""

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from vae.errors import InputError

SHOWN = 3
"""The largest number of names that a message lists."""


@contextmanager
def whole_folder(path: Path, replaced: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty folder to write into; it becomes `path` if the block succeeds.

    After an error, a folder that was there before is unchanged.

    Args:
        path: the folder, which must be absent or empty.
        replaced: names that the folder may contain nevertheless. The new folder then takes its place.

    Raises:
        InputError: there is a file of that name, or the folder contains something else.
    """
    check_replaceable(path, replaced)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as temporary:
        new, old = Path(temporary, "new"), Path(temporary, "old")
        new.mkdir()
        yield new
        if not path.exists():
            new.rename(path)
            return
        check_replaceable(path, replaced)  # it may have changed meanwhile
        try:
            path.rename(old)
            new.rename(path)
        except BaseException:
            if old.exists() and not path.exists():
                old.rename(path)
            raise


def check_replaceable(path: Path, replaced: Collection[str] = ()) -> None:
    """Refuse a path at which `whole_folder` cannot make a folder.

    Raises:
        InputError: as there.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file, but must be the name of a folder.")
    names = sorted(entry.name for entry in path.iterdir()) if path.exists() else []
    if others := [name for name in names if name not in replaced]:
        more = " and others" if len(others) > SHOWN else ""
        raise InputError(f"{path} contains {', '.join(others[:SHOWN])}{more}: name another folder or an empty one.")
