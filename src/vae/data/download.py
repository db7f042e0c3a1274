"""Downloads: whole, verified by SHA-256, over HTTPS, within limits of size and time."""

import ipaddress
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from vae.data.compressed import MAX_BYTES, read_limited
from vae.data.failures import reason
from vae.data.published import verify
from vae.errors import InputError
from vae.io.whole import whole

TIMEOUT = 30.0
"""Seconds to wait for a connection, and for each further piece of a file."""
MAX_SECONDS = 1800.0
"""The longest time for one file. The largest has 30 MB, so this allows 17 kB/s."""


def fetch(
    path: Path,
    mirrors: Sequence[str],
    sha256: str,
    hashed: str,
    timeout: float = TIMEOUT,
    max_seconds: float = MAX_SECONDS,
) -> bytes:
    """Return the contents of a published file from the cache, after downloading it if necessary.

    A correct file is left unchanged. Otherwise each mirror is tried in turn, and then once more. A download replaces
    the file only after it has been received completely and verified. Mirrors and redirects must use HTTPS, except on
    this machine.

    Args:
        path: the file in the cache; mirrors use the same name.
        mirrors: base addresses, each with a slash at the end.
        sha256: the checksum.
        hashed: what the checksum verifies: the unpacked `contents`, or the `archive`, which is the gzip file itself.
        timeout: seconds to wait for a connection, and for each further piece of the file.
        max_seconds: the longest time for one attempt, in case a server sends the file byte by byte.

    Raises:
        InputError: no mirror delivers the file with its checksum; the message says why each mirror failed.
        OSError: the file cannot be read or written.
    """
    former = ""
    try:
        return verify(read_limited(path), sha256, hashed)
    except FileNotFoundError:
        _require_writable(path)
    except InputError as error:
        _require_writable(path)
        print(f"{path}: {error}. Downloading it again.", file=sys.stderr)
        former = f" is not the published file ({error}), and"
    failures: dict[str, str] = {}
    for mirror in (*mirrors, *mirrors):
        url = mirror + path.name
        try:
            data = _within(max_seconds, _download, url, timeout)
            contents = verify(data, sha256, hashed)
        except (OSError, HTTPError, TypeError, ValueError) as error:  # of requests, of urllib3, ours
            failures[url] = reason(error, url)
            print(f"Download failed: {url}: {failures[url]}", file=sys.stderr)
        else:
            with whole(path) as part:
                part.write_bytes(data)
            return contents
    urls: dict[str, list[str]] = {}
    for url, why in failures.items():
        urls.setdefault(why, []).append(url)
    reasons = "; ".join(f"{' and '.join(failed)}: {why}" for why, failed in urls.items())
    raise InputError(f"{path}{former} could not be downloaded (you can put it there yourself): {reasons}")


def _require_writable(path: Path) -> None:
    """Make the folder of a file, and refuse one that cannot be written before a download takes its time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _within(seconds: float, work: Callable[..., bytes], *arguments: Any) -> bytes:
    """Do some work in a thread, and give it up after that many seconds.

    The timeout of requests starts again with each byte, so a server that sends headers byte by byte could block it.
    """
    ended: SimpleQueue[bytes | Exception] = SimpleQueue()

    def run() -> None:
        try:
            ended.put(work(*arguments))
        except Exception as error:
            ended.put(error)

    Thread(target=run, daemon=True).start()
    try:
        result = ended.get(timeout=seconds)
    except Empty:
        raise InputError(f"not received within {seconds:g} seconds") from None
    if isinstance(result, Exception):
        raise result
    return result


def _download(url: str, timeout: float) -> bytes:
    """Receive a file of at most `MAX_BYTES`."""
    print(f"Downloading {url}", file=sys.stderr)
    _require_safe(url)
    identity = {"Accept-Encoding": "identity"}  # else a server may compress the gzip file again
    hooks = {"response": _require_safe_redirect}
    data = bytearray()
    with requests.get(url, stream=True, timeout=timeout, hooks=hooks, headers=identity) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0)) or None
        with tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:
            while piece := response.raw.read1(2**16):  # what has arrived, so that a slow download shows progress
                data += piece
                if len(data) > MAX_BYTES:
                    raise InputError(f"more than {MAX_BYTES // 2**20} MB")
                bar.update(len(piece))
            if total and len(data) < total:
                raise InputError("interrupted before the end")
    return bytes(data)


def _require_safe(url: str) -> None:
    """Refuse an address whose traffic others could read or change: only HTTPS, and HTTP on this machine, are safe."""
    address = urlsplit(url)
    if not (address.scheme == "https" or (address.scheme == "http" and _is_loopback(address.hostname or ""))):
        raise InputError(f"{f'{address.scheme}://{address.netloc}'!r} is refused: only HTTPS is allowed")


def _require_safe_redirect(response: requests.Response, **_: Any) -> None:
    """Check the target before requests follows it."""
    if response.is_redirect:
        response.close()  # else requests reads the whole body, whatever its size
        _require_safe(urljoin(response.url, response.headers["location"]))


def _is_loopback(host: str) -> bool:
    """Decide from the name itself, without a name server."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False
