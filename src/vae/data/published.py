"""The published files of a data set: verified by SHA-256, and found where the user or git put them."""

import hashlib
import os
from pathlib import Path

from vae.data.compressed import MAGIC, read_limited, unpack
from vae.data.formats.dataset import File
from vae.errors import InputError


def verify(data: bytes, sha256: str, hashed: str) -> bytes:
    """Return the unpacked contents of a published file.

    Args:
        data: the file, compressed by gzip or not.
        sha256: the published checksum.
        hashed: what the checksum verifies: the unpacked `contents`, or the `archive`, which is the gzip file itself.

    Raises:
        InputError: the checksum is another one; the message says what the file is instead, but does not name it.
    """
    contents = unpack(data)
    found = hashlib.sha256(contents if hashed == "contents" else data).hexdigest()
    if found == sha256:
        return contents
    if not data:
        raise InputError("it is empty")
    if data.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise InputError("it is a web page, as a login page or a filter of the network sends, not a gzip file")
    if hashed == "archive" and not data.startswith(MAGIC):
        raise InputError(
            "it is not a gzip file, and unpacked contents cannot be verified: only the SHA-256 of the .gz file is known"
        )
    raise InputError(f"its SHA-256 ({hashed}) is {found[:16]}…, not {sha256[:16]}…")


def find(folder: Path, name: str, sha256: str, hashed: str) -> File | None:
    """Return a published file that the user or git put into a folder, or None if there is no such file.

    The file may be unpacked, with its name or with this name without `.gz`. Other programs unpack it to a name with
    `.idx`, or into a folder of its name. Nothing is written.

    Raises:
        InputError: there are files with these names, but none is the published one.
    """
    wrong = {}
    for path in _candidates(folder, name):
        try:
            return File(path, verify(read_limited(path), sha256, hashed))
        except FileNotFoundError:
            if path.is_symlink():
                wrong[path] = f"it is a link to {os.readlink(path)}, which does not exist"  # noqa: PTH115, as written
        except InputError as error:
            wrong[path] = str(error)
        except OSError as error:
            wrong[path] = f"it cannot be read: {error.strerror}"
    if not wrong:
        return None
    them, stay = ("them", "they stay") if len(wrong) > 1 else ("it", "it stays")
    files = " and ".join(f"{path} is not the published file ({reason})" for path, reason in wrong.items())
    raise InputError(
        f"{files}, so {stay} untouched; remove {them} if you want the published file; "
        "to train on your own images, see docs/your-images.md."
    )


def _candidates(folder: Path, name: str) -> list[Path]:
    """Return the paths at which a file may be, the published one first."""
    bare = name.removesuffix(".gz")
    paths = [folder / one for base in (name, bare) for one in dict.fromkeys((base, base.replace("-idx", ".idx")))]
    return [inside if (inside := path / path.name).is_file() else path for path in dict.fromkeys(paths)]
