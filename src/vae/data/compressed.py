"""Files that may be compressed by gzip, read and unpacked in memory within a limit."""

import gzip
import io
import zlib
from pathlib import Path

from vae.errors import InputError

MAX_BYTES = 64 * 2**20
"""The largest size of a published file, compressed or not. The largest of the MNIST family unpacks to 47 MB."""
MAGIC = b"\x1f\x8b"
"""The first bytes of every gzip file."""


def read_limited(path: Path, limit: int | None = None) -> bytes:
    """Return the bytes of the file, which must not be more than `limit`, by default `MAX_BYTES`.

    Raises:
        InputError: the file is too large; the message does not name it.
        OSError: the file cannot be read.
    """
    limit = limit or MAX_BYTES
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"it has more than {limit // 2**20} MB")
    return data


def unpack(data: bytes, limit: int | None = None) -> bytes:
    """Return what a gzip file unpacks to, not more than `limit`; other bytes are returned as they are.

    The default of the limit is `MAX_BYTES`.

    Raises:
        InputError: the gzip file is not whole, or unpacks to too much; the message does not name it.
    """
    limit = limit or MAX_BYTES
    if not data.startswith(MAGIC):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as unpacked:
            contents = unpacked.read(limit + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"it is not a whole gzip file ({error})") from None
    if len(contents) > limit:
        raise InputError(f"it unpacks to more than {limit // 2**20} MB")
    return contents
