"""Gzip files, unpacked in memory within a limit."""

import gzip
import io
import zlib
from pathlib import Path

from vae.errors import InputError

MAX_BYTES = 64 * 2**20
"""The largest size of a file, compressed or not. The largest of the MNIST family unpacks to 47 MB."""


def read_gzip(path: Path) -> tuple[bytes, bytes]:
    """Return the bytes of the file and the bytes that it unpacks to, neither more than `MAX_BYTES`.

    Raises:
        InputError: the file is not a whole gzip file, or is too large; the message does not name the file.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        archive = file.read(MAX_BYTES + 1)
    if len(archive) > MAX_BYTES:
        raise InputError(f"it has more than {MAX_BYTES // 2**20} MB")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as unpacked:
            contents = unpacked.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"it is not a whole gzip file ({error})") from None
    if len(contents) > MAX_BYTES:
        raise InputError(f"it unpacks to more than {MAX_BYTES // 2**20} MB")
    return archive, contents
