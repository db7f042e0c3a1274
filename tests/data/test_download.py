"""Downloads from a server on this machine: whole, verified and within limits, or the former file stays."""

import gzip
import hashlib
import re
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mirror import Endless, Reply, Server, encode, sha256
from vae.data import compressed, download
from vae.data.download import fetch
from vae.errors import InputError

NAME = "train-labels-idx1-ubyte.gz"
GOOD = encode(np.array([5, 0, 4], np.uint8))
WRONG = encode(np.array([7, 2], np.uint8))
FORMER = gzip.compress(b"former")
OTHER = r"its SHA-256 \(contents\) is \w{16}…, not \w{16}…"


def get(folder: Path, *mirrors: str, hashed: str = "contents", **limits: float) -> None:
    """Fetch the file whose right contents are `GOOD`."""
    fetch(folder / NAME, mirrors, sha256(GOOD, hashed), hashed, **limits)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything in the folder, hidden or not: the bytes of files, None for folders."""
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit files to a megabyte."""
    monkeypatch.setattr(compressed, "MAX_BYTES", 2**20)
    monkeypatch.setattr(download, "MAX_BYTES", 2**20)


@pytest.mark.parametrize("hashed", ["contents", "archive"])
def test_a_file_is_downloaded_with_its_folder(server: Server, tmp_path: Path, hashed: str) -> None:
    server.replies[NAME] = [Reply(GOOD)]
    get(tmp_path / "raw", server.mirror, hashed=hashed)
    assert tree(tmp_path / "raw") == {NAME: GOOD}


def test_a_correct_file_is_left_unchanged_without_a_request(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(GOOD)
    before = (tmp_path / NAME).stat()
    get(tmp_path, server.mirror)
    assert (tmp_path / NAME).stat() == before
    assert server.requested == []


def test_a_wrong_file_is_replaced(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / NAME).write_bytes(FORMER)
    server.replies[NAME] = [Reply(GOOD)]
    get(tmp_path, server.mirror)
    assert tree(tmp_path) == {NAME: GOOD}
    assert re.match(rf"{tmp_path / NAME}: {OTHER}\. Downloading it again\.\n", capsys.readouterr().err)


def test_contents_may_be_compressed_in_another_way_but_an_archive_may_not(server: Server, tmp_path: Path) -> None:
    again = gzip.compress(gzip.decompress(GOOD), compresslevel=0)
    server.replies[NAME] = [Reply(again)]
    with pytest.raises(InputError, match=rf"SHA-256 \(archive\) is {hashlib.sha256(again).hexdigest()[:16]}…"):
        get(tmp_path, server.mirror, hashed="archive")
    get(tmp_path, server.mirror)
    assert tree(tmp_path) == {NAME: again}


def test_a_file_that_a_server_calls_compressed_is_not_unpacked(server: Server, tmp_path: Path) -> None:
    server.replies[NAME] = [Reply(GOOD, encoding="gzip")]
    get(tmp_path, server.mirror, hashed="archive")
    assert tree(tmp_path) == {NAME: GOOD}


def test_a_link_to_nothing_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to("nothing")
    server.replies[NAME] = [Reply(GOOD)]
    get(tmp_path, server.mirror)
    assert not (tmp_path / NAME).is_symlink()
    assert tree(tmp_path) == {NAME: GOOD}


def test_a_file_that_cannot_be_read_is_not_downloaded(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(IsADirectoryError, match=NAME):
        get(tmp_path, server.mirror)
    assert server.requested == []


def test_a_mirror_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.replies[NAME] = [Reply(GOOD[:-1], length=len(GOOD)), Reply(GOOD)]
    get(tmp_path, server.mirror)
    assert tree(tmp_path) == {NAME: GOOD}
    assert server.requested == [NAME, NAME]


def test_the_next_mirror_is_tried_before_the_first_again(server: Server, closed: str, tmp_path: Path) -> None:
    server.replies[NAME] = [Reply(GOOD)]
    get(tmp_path, f"{server.mirror}moved/", closed, server.mirror)
    assert tree(tmp_path) == {NAME: GOOD}
    assert server.requested == [f"moved/{NAME}", NAME]


FAILURES = {
    "other contents": (Reply(WRONG), OTHER),
    "not gzip": (Reply(b"mnist"), OTHER),
    "empty": (Reply(b""), "it is empty"),
    "web page": (Reply(b"\n<!DOCTYPE HTML><html>"), "it is a web page, .*, not a gzip file"),
    "web page in short": (Reply(b"<html>"), "it is a web page, .*, not a gzip file"),
    "followed by others": (Reply(GOOD + b"others"), r"it is not a whole gzip file \(.+\)"),
    "forbidden": (Reply(b"", status=403), r"HTTP status 403 \(Forbidden\)"),
    "too often": (Reply(b"", status=429), r"HTTP status 429 \(Too Many Requests\)"),
    "out of order": (Reply(b"", status=503), r"HTTP status 503 \(Service Unavailable\)"),
    "unknown status": (Reply(b"", status=599), "HTTP status 599"),
    "truncated gzip": (Reply(GOOD[:-9]), r"it is not a whole gzip file \(.+\)"),
    "damaged gzip": (Reply(GOOD[:10] + b"\xff" * 9), r"it is not a whole gzip file \(.+\)"),
    "truncated body": (Reply(GOOD, length=len(GOOD) + 5), "interrupted before the end"),
    "no reply": (Reply(GOOD, stall=0), "no answer in time"),
    "stalled body": (Reply(GOOD, stall=9), "no answer in time"),
    "not found": (None, r"HTTP status 404 \(Not Found\)"),
}


@pytest.mark.parametrize(("reply", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_failure_keeps_the_former_file(server: Server, tmp_path: Path, reply: Reply | None, reason: str) -> None:
    (tmp_path / NAME).write_bytes(FORMER)
    server.replies[NAME] = [reply] if reply else []
    with pytest.raises(InputError) as failed:
        get(tmp_path, server.mirror, timeout=0.2 if reason == "no answer in time" else 30)
    former = rf"{tmp_path / NAME} is not the published file \({OTHER}\), and"
    assert re.fullmatch(rf"{former} could not be downloaded .*: {server.mirror}{NAME}: {reason}", str(failed.value))
    assert tree(tmp_path) == {NAME: FORMER}


def test_a_connection_that_is_reset_keeps_the_former_file(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(FORMER)

    def reset_after_some_bytes() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 9999999\r\n\r\n" + bytes(2**16))
                time.sleep(0.2)  # for the client to read some
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=reset_after_some_bytes, daemon=True).start()
        with pytest.raises(InputError, match=rf"{NAME}: interrupted before the end$"):
            get(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}/")
    assert tree(tmp_path) == {NAME: FORMER}


def test_the_reason_of_each_mirror_is_reported(server: Server, closed: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as failed:
        get(tmp_path, server.mirror, closed)
    reasons = f"{server.mirror}{NAME}: HTTP status 404 (Not Found); {closed}{NAME}: connection refused"
    assert str(failed.value) == f"{tmp_path / NAME} could not be downloaded (you can put it there yourself): {reasons}"
    assert tree(tmp_path) == {}


@pytest.mark.usefixtures("small_limit")
def test_a_gzip_bomb_is_not_unpacked(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bomb, largest = (gzip.compress(bytes(2**20 + more)) for more in (1, 0))
    path = tmp_path / NAME
    path.write_bytes(bomb)
    server.replies[NAME] = [Reply(bomb)]
    with pytest.raises(InputError, match=rf": {server.mirror}{NAME}: it unpacks to more than 1 MB$"):
        fetch(path, [server.mirror], sha256(bomb), "contents")
    assert capsys.readouterr().err.startswith(f"{path}: it unpacks to more than 1 MB. Downloading it again.\n")
    assert tree(tmp_path) == {NAME: bomb}
    server.replies[NAME] = [Reply(largest)]
    fetch(path, [server.mirror], sha256(largest), "contents")
    assert tree(tmp_path) == {NAME: largest}


@pytest.mark.usefixtures("small_limit")
def test_a_file_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(gzip.compress(b"") * 2**16)  # unpacks to nothing
    with pytest.raises(InputError, match=r"\(it has more than 1 MB\), and could not be downloaded "):
        get(tmp_path)


HEAD = b"HTTP/1.0 200 OK\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"
ENDLESS = {
    "body": (Endless(HEAD + b"\r\n", bytes(2**16), 0), "more than 1 MB"),
    "body, byte by byte": (Endless(HEAD + b"\r\n", b"x", 0.01), r"not received within 0\.3 seconds"),
    "headers, byte by byte": (Endless(HEAD + b"X: ", b"x", 0.01), r"not received within 0\.3 seconds"),
    "chunk header, byte by byte": (Endless(CHUNKED, b"x", 0.01), r"not received within 0\.3 seconds"),
}


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(("reply", "reason"), ENDLESS.values(), ids=ENDLESS)
def test_an_endless_reply_is_given_up(server: Server, tmp_path: Path, reply: Endless, reason: str) -> None:
    server.replies[NAME] = [reply]
    limit, started = (0.3 if "within" in reason else 60), time.monotonic()
    with pytest.raises(InputError, match=rf": {server.mirror}{NAME}: {reason}$"):
        get(tmp_path, server.mirror, max_seconds=limit)
    assert time.monotonic() - started < 10
    assert tree(tmp_path) == {}


def test_the_time_is_limited_in_any_thread(server: Server, tmp_path: Path) -> None:
    server.replies[NAME] = [Endless(HEAD + b"\r\n", b"x", 0.01)]
    reasons = []

    def work() -> None:
        try:
            get(tmp_path, server.mirror, max_seconds=0.1)
        except InputError as error:
            reasons.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=60)
    assert len(reasons) == 1
    assert reasons[0].endswith("not received within 0.1 seconds")
    assert tree(tmp_path) == {}


def test_a_redirect_with_an_endless_body_is_followed(server: Server, tmp_path: Path) -> None:
    head = f"HTTP/1.0 302 Found\r\nLocation: {server.mirror}moved\r\n\r\n".encode()
    server.replies = {NAME: [Endless(head, b"x", 0.01)], "moved": [Reply(GOOD)]}
    get(tmp_path, server.mirror, max_seconds=60)
    assert tree(tmp_path) == {NAME: GOOD}
    assert server.requested == [NAME, "moved"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the hosts whose address is looked up or that are connected to."""
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


UNSAFE = [
    "http://192.0.2.1/",
    "http://mirror.example/",
    "http://localhost.example/",
    "http://127.0.0.1@192.0.2.1/",
    "http://127.0.0.1.example/",
    "http://[2001:db8::1]/",
    "ftp://127.0.0.1/",
    "file://localhost/",
]


@pytest.mark.parametrize("mirror", UNSAFE)
@pytest.mark.parametrize("redirected", [False, True], ids=["mirror", "redirect"])
def test_an_unsafe_address_is_not_contacted(
    server: Server, asked: list[str], tmp_path: Path, mirror: str, redirected: bool
) -> None:
    server.replies[NAME] = [Reply(b"", location=f"{mirror}{NAME}")]
    with pytest.raises(InputError) as refused:
        get(tmp_path, server.mirror if redirected else mirror)
    assert str(refused.value).endswith(f"{NAME}: '{mirror[:-1]}' is refused: only HTTPS is allowed")
    assert set(asked) == ({"127.0.0.1"} if redirected else set())
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("host", ["localhost", "127.255.255.254", "[::1]"])
def test_this_machine_may_use_http(closed: str, tmp_path: Path, host: str) -> None:
    with pytest.raises(InputError, match=f"{NAME}: connection refused$"):
        get(tmp_path, closed.replace("127.0.0.1", host))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_on_this_machine_is_followed(server: Server, tmp_path: Path, host: str) -> None:
    server.replies = {NAME: [Reply(b"", location=f"http://{host}:{server.server_port}/moved")], "moved": [Reply(GOOD)]}
    get(tmp_path, server.mirror)
    assert tree(tmp_path) == {NAME: GOOD}
    assert server.requested == [NAME, "moved"]
