"""A mirror on this machine with a small data set, whose replies a test can choose."""

import gzip
import hashlib
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from vae.data.formats.dataset import Part


class Reply(NamedTuple):
    """A reply with `body`."""

    body: bytes
    length: int | None = None
    """The announced number of bytes, if not the right one."""
    stall: int | None = None
    """The number of bytes after which the server sends no more."""
    location: str = ""
    """An address to redirect to."""
    encoding: str = ""
    """The value of Content-Encoding."""
    status: int = 200


class Endless(NamedTuple):
    """A reply that starts with `head` and then repeats `piece` for ever, after a pause each time."""

    head: bytes
    piece: bytes
    pause: float


class Server(ThreadingHTTPServer):
    """Gives each name its replies in turn, and the last one again and again; a name without replies is not found.

    As a proxy, it refuses every connection.
    """

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        """Serve HTTPS if there is a certificate, in a file with its key."""
        super().__init__(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.mirror = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_port}/"
        self.refusal = 403
        """The status with which it refuses as a proxy."""
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
        if reply.stall != 0:
            self.send_response(302 if reply.location else reply.status)
            if reply.location:
                self.send_header("Location", reply.location)
            if reply.encoding:
                self.send_header("Content-Encoding", reply.encoding)
            self.send_header("Content-Length", str(reply.length or len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.stall])
        if reply.stall is not None:
            self.server.closing.wait()

    def do_CONNECT(self) -> None:
        self.send_error(self.server.refusal)

    def send_for_ever(self, reply: Endless) -> None:
        with suppress(ConnectionError):  # by then the client has gone
            self.wfile.write(reply.head)
            while not self.server.closing.wait(reply.pause):
                self.wfile.write(reply.piece)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    with Server(certificate) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.closing.set()
            running.shutdown()
            thread.join()


def encode(array: NDArray[Any]) -> bytes:
    """Return a gzipped IDX file, without a date."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def archives(train: Part, test: Part) -> dict[str, bytes]:
    """Return the four files of a data set by name."""
    return {
        f"{prefix}-{kind}-ubyte.gz": encode(array)
        for prefix, part in (("train", train), ("t10k", test))
        for kind, array in (("images-idx3", part.images[:]), ("labels-idx1", part.labels))
        if array is not None
    }


def sha256(archive: bytes, hashed: str = "contents") -> str:
    """Return the checksum of a gzip file or of its contents."""
    return hashlib.sha256(archive if hashed == "archive" else gzip.decompress(archive)).hexdigest()
