"""Downloads: whole, verified by SHA-256, over HTTPS, within limits of size and time."""

import hashlib
import ipaddress
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError, ReadTimeoutError

from vae.data.compressed import MAX_BYTES, read_gzip
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
) -> None:
    """Make sure that a gzip file exists and has its published checksum.

    A correct file is left unchanged. Otherwise each mirror is tried in turn, and then once more. A download replaces
    the file only after it has been received completely and verified. Mirrors and redirects must use HTTPS, except on
    this machine.

    Args:
        path: the file; mirrors use the same name.
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
    if path.exists():
        try:
            _verify(path, sha256, hashed)
            return
        except InputError as error:
            print(f"{path}: {error}. Downloading it again.", file=sys.stderr)
            former = f" is not the published file ({error}), and"
    failures = {}
    for mirror in (*mirrors, *mirrors):
        url = mirror + path.name
        try:
            with whole(path) as part:
                with part.open("wb") as file:
                    _within(max_seconds, _download, url, file, timeout)
                _verify(part, sha256, hashed)
            return
        except (requests.RequestException, HTTPError, ValueError) as error:
            failures[url] = _reason(error)
            print(f"Download failed: {url}: {failures[url]}", file=sys.stderr)
    reasons = "; ".join(f"{url}: {reason}" for url, reason in failures.items())
    raise InputError(f"{path}{former} could not be downloaded (you can put it there yourself): {reasons}")


def _within(seconds: float, work: Callable[..., None], *arguments: Any) -> None:
    """Do some work in a thread, and give it up after that many seconds.

    The timeout of requests starts again with each byte, so a server that sends headers byte by byte could block it.
    """
    ended: SimpleQueue[Exception | None] = SimpleQueue()

    def run() -> None:
        try:
            work(*arguments)
            ended.put(None)
        except Exception as error:
            ended.put(error)

    Thread(target=run, daemon=True).start()
    try:
        error = ended.get(timeout=seconds)
    except Empty:
        raise InputError(f"not received within {seconds:g} seconds") from None
    if error:
        raise error


def _download(url: str, file: BinaryIO, timeout: float) -> None:
    """Receive a file of at most `MAX_BYTES`."""
    print(f"Downloading {url}", file=sys.stderr)
    _require_safe(url)
    identity = {"Accept-Encoding": "identity"}  # else a server may compress the gzip file again
    hooks = {"response": _require_safe_redirect}
    with requests.get(url, stream=True, timeout=timeout, hooks=hooks, headers=identity) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0)) or None
        with tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:
            while piece := response.raw.read1(2**16):  # what has arrived, so that a slow download shows progress
                if file.tell() + len(piece) > MAX_BYTES:
                    raise InputError(f"more than {MAX_BYTES // 2**20} MB")
                file.write(piece)
                bar.update(len(piece))
            if total and file.tell() < total:
                raise InputError("interrupted before the end")


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


def _verify(path: Path, sha256: str, hashed: str) -> None:
    """Refuse a gzip file whose checksum is another one."""
    archive, contents = read_gzip(path)
    found = hashlib.sha256(contents if hashed == "contents" else archive).hexdigest()
    if found != sha256:
        raise InputError(f"its SHA-256 ({hashed}) is {found[:16]}…, not {sha256[:16]}…")


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, HTTPError):  # urllib3's, in the middle of a file
        return "interrupted before the end"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)
