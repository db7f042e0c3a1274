"""The data sets: where each comes from, how its files are known to be the right ones, and how to load them."""

import gzip
import hashlib
import io
import ipaddress
import signal
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urljoin, urlsplit

import numpy as np
import pooch
import requests
from numpy.typing import NDArray

from vae.errors import InputError
from vae.files import whole
from vae.idx import parse_idx

IMAGE_SIZE = 28
MAX_BYTES = 64 * 2**20  # of a file, as received and uncompressed; the largest known here has 47 MB uncompressed
MAX_SECONDS = 1800.0  # for a file, whose largest here has 30 MB: a line that is slower than 17 kB/s is too slow

DIGITS = tuple("0123456789")


class Source(NamedTuple):
    """A data set of four gzipped IDX files, published on one or more mirrors."""

    mirrors: tuple[str, ...]
    """Base addresses, each ending in a slash, tried in order."""
    sha256: dict[str, str]
    """Of each file, by name: of its uncompressed contents, or of the .gz itself if `hashed` says so."""
    class_names: tuple[str, ...]
    hashed: str = "contents"


class Digits(NamedTuple):
    """Images and their labels."""

    images: NDArray[np.uint8]
    """(n, 28, 28), grey levels from 0 to 255."""
    labels: NDArray[np.uint8]
    """(n,), from 0 to 9."""


SOURCES = {
    "mnist": Source(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        class_names=DIGITS,
    ),
    "fashion_mnist": Source(
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        class_names=(
            *("T-shirt", "trousers", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
    ),
    # One address, the publisher's; and only the checksums of the .gz files are public (in TensorFlow Datasets).
    "kmnist": Source(
        mirrors=("https://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        sha256={
            "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        hashed="archive",
    ),
}


def load(source: Source, directory: Path) -> tuple[Digits, Digits]:
    """The training and the test set, from `directory`, downloading what is not there or not as published.

    Raises:
        InputError: no mirror has a file, or a file with the right checksum is no IDX file of 28x28 images.
    """
    contents = {name: fetch(source, name, directory) for name in source.sha256}
    return _digits(contents, "train", directory), _digits(contents, "t10k", directory)


def fetch(source: Source, name: str, directory: Path, timeout: float = 30.0, deadline: float = MAX_SECONDS) -> bytes:
    """The uncompressed contents of one file, whose checksum has been verified.

    A good file in `directory` is used as it is. Otherwise the mirrors are tried in turn, twice over, and a file is put
    in its place only once it has been received whole and verified: what was there before stays until then. Mirrors and
    what they redirect to must speak HTTPS, but for those on this machine, which may speak HTTP.

    Args:
        source: the data set.
        name: of a file in `source.sha256`.
        directory: where the file is, or will be.
        timeout: seconds to wait for a connection, and for each further piece of the file.
        deadline: seconds for the whole of the file, in a trial: the limit for a server that drips a byte now and then.
            An alarm signal keeps it, which Python takes in the main thread alone.

    Raises:
        InputError: no mirror delivers the file with its published checksum; says what each did instead.
        OSError: the file cannot be read or written.
    """
    path, former = directory / name, ""
    if path.exists():
        try:
            return _verified(path, source, name)
        except InputError as error:
            print(f"{path}: {error}. Downloading it again.", file=sys.stderr)
            former = f"is not right ({error}), and "
    failures = {}
    for mirror in source.mirrors * 2:
        url = mirror + name
        try:
            with whole(path) as part:
                with part.open("wb") as file:
                    _download(url, file, timeout, deadline)
                return _verified(part, source, name)
        except (requests.RequestException, ValueError, InputError) as error:
            failures[url] = _reason(error)
            print(f"Not to be had from {url}: {failures[url]}", file=sys.stderr)
    reasons = "; ".join(f"{url}: {reason}" for url, reason in failures.items())
    raise InputError(f"{path} {former}could not be downloaded (you may put it there yourself): {reasons}")


def _download(url: str, file: BinaryIO, timeout: float, deadline: float) -> None:
    """Receive a file of at most `MAX_BYTES`."""
    print(f"Downloading {url}", file=sys.stderr)
    _require_safe(url)
    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(), timeout=timeout, chunk_size=2**16, hooks={"response": _require_safe_redirect}
    )
    with _at_most(deadline):
        downloader(url, _Limited(file), None)


class _Limited:
    """A file that takes at most `MAX_BYTES`."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.flush = file, file.flush

    def write(self, piece: bytes) -> None:
        if self.file.tell() + len(piece) > MAX_BYTES:
            raise InputError(f"more than {MAX_BYTES // 2**20} MB")
        self.file.write(piece)


def _require_safe(url: str) -> None:
    """Refuse what others could read or change on its way: all but HTTPS, and HTTP that does not leave this machine."""
    address = urlsplit(url)
    if not (address.scheme == "https" or (address.scheme == "http" and _is_loopback(address.hostname or ""))):
        raise InputError(f"{f'{address.scheme}://{address.netloc}'!r} is not asked: only HTTPS is")


def _require_safe_redirect(response: requests.Response, **_: Any) -> None:
    """Before requests follows it, having read all that comes with it: hence the end of that."""
    if response.is_redirect:
        response.close()
        _require_safe(urljoin(response.url, response.headers["location"]))


def _is_loopback(host: str) -> bool:
    """Told by the name alone, which no name server is asked for."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Break the block off after that time, as soon as Python has its turn again, and each second from then on."""

    def late(*_: object) -> None:
        raise InputError(f"not received within {seconds:g} seconds")

    former = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _verified(path: Path, source: Source, name: str) -> bytes:
    """The uncompressed contents of a .gz file whose checksum is the one published for that name."""
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
    found = hashlib.sha256(contents if source.hashed == "contents" else archive).hexdigest()
    if found != source.sha256[name]:
        raise InputError(f"its SHA-256 ({source.hashed}) is {found[:16]}…, not {source.sha256[name][:16]}…")
    return contents


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):  # requests wraps one in the midst of a file
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broken off before the end"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


def _digits(contents: dict[str, bytes], prefix: str, directory: Path) -> Digits:
    names = f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"
    images, labels = (
        parse_idx(contents[name], dimensions, str(directory / name))
        for name, dimensions in zip(names, (3, 1), strict=True)
    )
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        height, width = images.shape[1:]
        raise InputError(f"{directory / names[0]} holds images of {height}x{width}, not {IMAGE_SIZE}x{IMAGE_SIZE}.")
    if len(images) != len(labels):
        raise InputError(f"{directory} has {len(images)} {prefix} images but {len(labels)} labels.")
    return Digits(images, labels)
