"""Files that are whole or absent: each is written under a temporary name and then renamed."""

import errno
import glob
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = platform.node() or "host"
"""Part of the names of temporary files, as other machines and containers number their processes, too."""
# Other errors come from file systems that cannot wait, such as some on networks and some of FUSE.
LOST = {errno.EIO, errno.ENOSPC, errno.EDQUOT}


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a path in the same folder to write a file at; the file replaces `path` if the block succeeds.

    The suffix is kept, since some writers depend on it. After an error or a kill, the former `path` is still there. The
    new contents are on the disk before the rename, so that a power cut after it leaves no empty file, unless the file
    system cannot wait for that. Temporary files that killed processes of this machine left behind are removed first.

    Raises:
        OSError: the file cannot be written; the error names `path`, whatever file the writer named.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    start, end = f".part-{HOST}-", f"-{path.name}"
    part = path.with_name(f"{start}{os.getpid()}{end}")
    try:
        for left in path.parent.glob(f"{glob.escape(start)}*{glob.escape(end)}"):
            process = left.name.removeprefix(start).removesuffix(end)
            if process.isdecimal() and not _is_another_running_process(int(process)):
                left.unlink(missing_ok=True)  # another process may remove it, too
        yield part
        if not part.exists():
            raise FileNotFoundError(f"Nothing was written for {path}.")
        _flush(part)
        part.replace(path)
    except OSError as error:
        if error.errno is None:  # raised by a library, not by the operating system
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        with suppress(OSError):  # usually, nothing is left to remove
            part.unlink()


def _is_another_running_process(process: int) -> bool:
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
    """Wait until the file is on the disk, where the file system can."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno in LOST:
            raise
    finally:
        os.close(descriptor)
