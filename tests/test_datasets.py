"""The data sets' files: verified, downloaded by the real code from a server on this machine, and loaded."""

import gzip
import hashlib
import re
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from vae import datasets
from vae.datasets import SOURCES, Digits, Source, fetch, load
from vae.errors import InputError

FORMER = gzip.compress(b"former")
NAME = "train-labels-idx1-ubyte.gz"


class Reply(NamedTuple):
    """What the server answers: `body`, announced as `length` bytes, stopping after `stall` of them."""

    body: bytes
    length: int | None = None
    stall: int | None = None
    location: str = ""
    """Where it redirects to, instead."""


class Endless(NamedTuple):
    """An answer that begins with `head` and goes on with `piece` for ever, after a pause each time."""

    head: bytes
    piece: bytes
    pause: float


class Server(ThreadingHTTPServer):
    """Gives each name its replies in turn, the last for good; a name without replies is not found."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mirror = f"http://127.0.0.1:{self.server_port}/"
        self.replies: dict[str, list[Reply | Endless]] = {}
        self.requested: list[str] = []
        self.closing = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.requested.append(name)
        replies = self.server.replies.get(name)
        if not replies:
            self.send_error(404)
            return
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Endless):
            self.send_for_ever(reply)
            return
        body, length, stall, location = reply
        if stall != 0:
            self.send_response(302 if location else 200)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body[:stall])
        if stall is not None:
            self.server.closing.wait()

    def send_for_ever(self, reply: Endless) -> None:
        with suppress(ConnectionError):  # by then the client has gone
            self.wfile.write(reply.head)
            while not self.server.closing.wait(reply.pause):
                self.wfile.write(reply.piece)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.closing.set()
            running.shutdown()
            thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    with serving() as running:
        yield running


@pytest.fixture
def closed() -> Iterator[str]:
    """The address of a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


def encode(array: NDArray[np.uint8]) -> bytes:
    """A gzipped IDX file, without the date."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


TRAIN = Digits(np.arange(3 * 784).reshape(3, 28, 28).astype(np.uint8), np.array([5, 0, 4], np.uint8))
TEST = Digits(255 - TRAIN.images[:2], np.array([7, 2], np.uint8))
GOOD = encode(TRAIN.labels)
OTHER = r"its SHA-256 \(contents\) is \w{16}…, not \w{16}…"  # what is said of a file with other contents


def source(*mirrors: str, train: Digits = TRAIN, test: Digits = TEST, hashed: str = "contents") -> Source:
    """A data set with the checksums of these digits."""
    sha256 = {
        name: hashlib.sha256(archive if hashed == "archive" else gzip.decompress(archive)).hexdigest()
        for name, archive in archives(train, test).items()
    }
    return Source(mirrors, sha256, class_names=tuple("0123456789"), hashed=hashed)


def archives(train: Digits, test: Digits) -> dict[str, bytes]:
    return {
        f"{prefix}-{kind}-ubyte.gz": encode(array)
        for prefix, digits in (("train", train), ("t10k", test))
        for kind, array in (("images-idx3", digits.images), ("labels-idx1", digits.labels))
    }


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below `folder`, hidden or not: the bytes of files, None for folders."""
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.parametrize("hashed", ["contents", "archive"])
def test_a_file_is_downloaded_and_put_in_its_place(server: Server, tmp_path: Path, hashed: str) -> None:
    server.replies[NAME] = [Reply(GOOD)]
    assert fetch(source(server.mirror, hashed=hashed), NAME, tmp_path / "raw") == gzip.decompress(GOOD)
    assert tree(tmp_path / "raw") == {NAME: GOOD}


def test_a_good_file_is_used_without_a_request(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(GOOD)
    assert fetch(source(server.mirror), NAME, tmp_path) == gzip.decompress(GOOD)
    assert server.requested == []


def test_a_wrong_file_is_replaced(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / NAME).write_bytes(FORMER)
    server.replies[NAME] = [Reply(GOOD)]
    assert fetch(source(server.mirror), NAME, tmp_path) == gzip.decompress(GOOD)
    assert tree(tmp_path) == {NAME: GOOD}
    printed = capsys.readouterr().err
    assert re.match(rf"{tmp_path / NAME}: {OTHER}\. Downloading it again\.\n", printed)


def test_contents_may_be_compressed_anew_but_an_archive_may_not(server: Server, tmp_path: Path) -> None:
    again = gzip.compress(gzip.decompress(GOOD), compresslevel=0)
    server.replies[NAME] = [Reply(again)]
    with pytest.raises(InputError, match=rf"SHA-256 \(archive\) is {hashlib.sha256(again).hexdigest()[:16]}…"):
        fetch(source(server.mirror, hashed="archive"), NAME, tmp_path)
    assert fetch(source(server.mirror), NAME, tmp_path) == gzip.decompress(GOOD)


def test_what_cannot_be_read_is_not_taken_for_a_wrong_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(IsADirectoryError, match=NAME):
        fetch(source(server.mirror), NAME, tmp_path)
    assert server.requested == []


def test_each_mirror_is_tried_twice(server: Server, tmp_path: Path) -> None:
    server.replies[NAME] = [Reply(GOOD[:-1], length=len(GOOD)), Reply(GOOD)]
    assert fetch(source(server.mirror), NAME, tmp_path) == gzip.decompress(GOOD)
    assert server.requested == [NAME, NAME]


def test_the_next_mirror_is_used(server: Server, closed: str, tmp_path: Path) -> None:
    server.replies[NAME] = [Reply(GOOD)]
    assert fetch(source(f"{server.mirror}moved/", closed, server.mirror), NAME, tmp_path) == gzip.decompress(GOOD)
    assert tree(tmp_path) == {NAME: GOOD}


FAILURES = {
    "other contents": (Reply(encode(TEST.labels)), OTHER),
    "not gzip": (Reply(b"<html>"), r"it is not a whole gzip file \(Not a gzipped file \(b'<h'\)\)"),
    "gzip cut": (Reply(GOOD[:-9]), r"it is not a whole gzip file \(Compressed file ended before .*\)"),
    "gzip garbled": (Reply(GOOD[:10] + b"\xff" * 9), r"it is not a whole gzip file \(.+\)"),
    "body cut": (Reply(GOOD, length=len(GOOD) + 5), "broken off before the end"),
    "no answer": (Reply(GOOD, stall=0), "no answer in time"),
    "body stalls": (Reply(GOOD, stall=9), "no answer in time"),
    "not found": (None, "HTTP status 404"),
}


@pytest.mark.parametrize(("reply", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_failure_keeps_the_former_file(server: Server, tmp_path: Path, reply: Reply | None, reason: str) -> None:
    (tmp_path / NAME).write_bytes(FORMER)
    server.replies[NAME] = [reply] if reply else []
    with pytest.raises(InputError) as failed:
        fetch(source(server.mirror), NAME, tmp_path, timeout=0.2 if reason == "no answer in time" else 30)
    former = rf"{tmp_path / NAME} is not right \({OTHER}\), and "
    assert re.fullmatch(rf"{former}could not be downloaded .*: {server.mirror}{NAME}: {reason}", str(failed.value))
    assert tree(tmp_path) == {NAME: FORMER}


def test_when_all_mirrors_fail_each_is_told_with_its_reason(server: Server, closed: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as failed:
        fetch(source(server.mirror, closed), NAME, tmp_path)
    reasons = f"{server.mirror}{NAME}: HTTP status 404; {closed}{NAME}: no connection"
    assert str(failed.value) == f"{tmp_path / NAME} could not be downloaded (you may put it there yourself): {reasons}"
    assert tree(tmp_path) == {}


def test_a_gzip_bomb_is_not_unpacked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train = TRAIN._replace(labels=np.zeros(2**20, np.uint8))  # after a header of eight bytes
    bomb = archives(train, TEST)[NAME]
    (tmp_path / NAME).write_bytes(bomb)
    server.replies[NAME] = [Reply(bomb)]
    monkeypatch.setattr(datasets, "MAX_BYTES", 2**20 + 7)
    with pytest.raises(InputError, match=rf": {server.mirror}{NAME}: it unpacks to more than 1 MB$"):
        fetch(source(server.mirror, train=train), NAME, tmp_path)
    printed = capsys.readouterr().err
    assert printed.startswith(f"{tmp_path / NAME}: it unpacks to more than 1 MB. Downloading it again.\n")
    assert tree(tmp_path) == {NAME: bomb}
    monkeypatch.setattr(datasets, "MAX_BYTES", 2**20 + 8)
    assert len(fetch(source(train=train), NAME, tmp_path)) == 2**20 + 8


@pytest.mark.parametrize("hashed", ["contents", "archive"])
def test_a_file_is_not_read_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashed: str) -> None:
    monkeypatch.setattr(datasets, "MAX_BYTES", 2**20)
    (tmp_path / NAME).write_bytes(gzip.compress(b"") * 2**16)  # which unpacks to nothing
    with pytest.raises(
        InputError, match=rf"{NAME} is not right \(it has more than 1 MB\), and could not be downloaded "
    ):
        fetch(source(hashed=hashed), NAME, tmp_path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts whose address is looked up or that are connected to."""
    hosts: list[str] = []

    def look_up(host: str, *arguments: Any, real: Any = socket.getaddrinfo, **options: Any) -> Any:
        hosts.append(host)
        return real(host, *arguments, **options)

    def connect(self: socket.socket, address: tuple[str, int], real: Any = socket.socket.connect) -> None:
        hosts.append(address[0])
        real(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return hosts


HEAD = b"HTTP/1.0 200 OK\r\n"
ENDLESS = {
    "body": (Endless(HEAD + b"\r\n", bytes(2**16), 0), "more than 1 MB"),
    "body, drop by drop": (Endless(HEAD + b"\r\n", b"x", 0.01), r"not received within 0\.3 seconds"),
    "head, drop by drop": (Endless(HEAD + b"X: ", b"x", 0.01), r"not received within 0\.3 seconds"),
}


@pytest.mark.parametrize(("reply", "reason"), ENDLESS.values(), ids=ENDLESS)
def test_an_answer_without_end_is_broken_off(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Endless, reason: str
) -> None:
    monkeypatch.setattr(datasets, "MAX_BYTES", 2**20)
    server.replies[NAME] = [reply]
    with pytest.raises(InputError, match=rf": {server.mirror}{NAME}: {reason}$"):
        fetch(source(server.mirror), NAME, tmp_path, deadline=0.3 if "within" in reason else 60)
    assert tree(tmp_path) == {}
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_redirect_with_a_body_without_end_is_followed(server: Server, tmp_path: Path) -> None:
    head = f"HTTP/1.0 302 Found\r\nLocation: {server.mirror}moved\r\n\r\n".encode()
    server.replies = {NAME: [Endless(head, b"x", 0.01)], "moved": [Reply(GOOD)]}
    assert fetch(source(server.mirror), NAME, tmp_path, deadline=5) == gzip.decompress(GOOD)
    assert server.requested == [NAME, "moved"]


@pytest.mark.parametrize(
    "mirror",
    [
        "http://192.0.2.1/",
        "http://mirror.example/",
        "http://localhost.example/",
        "http://127.0.0.1@192.0.2.1/",
        "http://127.0.0.1.example/",
        "http://[2001:db8::1]/",
        "ftp://127.0.0.1/",
        "file://localhost/",
    ],
)
@pytest.mark.parametrize("redirected", [False, True], ids=["mirror", "redirect"])
def test_an_address_that_is_not_safe_is_not_asked(
    server: Server, asked: list[str], tmp_path: Path, mirror: str, redirected: bool
) -> None:
    server.replies[NAME] = [Reply(b"", location=f"{mirror}{NAME}")]
    with pytest.raises(InputError) as refused:
        fetch(source(server.mirror if redirected else mirror), NAME, tmp_path)
    assert str(refused.value).endswith(f"{NAME}: '{mirror[:-1]}' is not asked: only HTTPS is")
    assert set(asked) == ({"127.0.0.1"} if redirected else set())
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("host", ["localhost", "127.255.255.254", "[::1]"])
def test_this_machine_is_asked(closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(InputError, match=f"{NAME}: no connection$"):
        fetch(source(closed.replace("127.0.0.1", host)), NAME, tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_on_this_machine_is_followed(server: Server, tmp_path: Path, host: str) -> None:
    server.replies = {NAME: [Reply(b"", location=f"http://{host}:{server.server_port}/moved")], "moved": [Reply(GOOD)]}
    assert fetch(source(server.mirror), NAME, tmp_path) == gzip.decompress(GOOD)
    assert server.requested == [NAME, "moved"]


def test_both_sets_are_loaded(server: Server, tmp_path: Path) -> None:
    server.replies = {name: [Reply(archive)] for name, archive in archives(TRAIN, TEST).items()}
    for loaded, published in zip(load(source(server.mirror), tmp_path), (TRAIN, TEST), strict=True):
        np.testing.assert_array_equal(loaded.images, published.images, strict=True)
        np.testing.assert_array_equal(loaded.labels, published.labels, strict=True)
    assert tree(tmp_path) == archives(TRAIN, TEST)


NARROW = TEST._replace(images=TEST.images[:, :27])
MISFITS = {
    "size": (TRAIN, NARROW, "/t10k-images-idx3-ubyte.gz holds images of 27x28, not 28x28."),
    "count": (TRAIN._replace(labels=TRAIN.labels[1:]), TEST, " has 3 train images but 2 labels."),
}


@pytest.mark.parametrize(("train", "test", "message"), MISFITS.values(), ids=MISFITS)
def test_digits_that_do_not_fit_are_refused(tmp_path: Path, train: Digits, test: Digits, message: str) -> None:
    for name, archive in archives(train, test).items():
        (tmp_path / name).write_bytes(archive)
    with pytest.raises(InputError) as refused:
        load(source(train=train, test=test), tmp_path)
    assert str(refused.value) == f"{tmp_path}{message}"


def test_the_committed_mnist_is_as_published(root: Path) -> None:
    train, test = load(SOURCES["mnist"]._replace(mirrors=()), root / "data/raw/mnist")
    assert [digits.images.shape for digits in (train, test)] == [(60_000, 28, 28), (10_000, 28, 28)]
    # Of the ten digits, as counted in the literature.
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


@pytest.mark.parametrize("published", SOURCES.values(), ids=SOURCES)
def test_each_source_is_complete(published: Source) -> None:
    assert all(re.fullmatch(r"https://[^\s?#]+/", mirror) for mirror in published.mirrors)
    assert sorted(published.sha256) == sorted(archives(TRAIN, TEST))
    assert not any({"/", "\\"} & set(name) for name in published.sha256)  # none leads out of the folder
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in published.sha256.values())
    assert published.mirrors
    assert len(set(published.class_names)) == 10
    assert published.hashed in ("contents", "archive")
