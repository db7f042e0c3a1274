"""The reasons of failed downloads: certificates, proxies and networks, against servers on this machine."""

import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mirror import Reply, Server, serving
from vae.data.download import fetch
from vae.errors import InputError

NAME = "train-labels-idx1-ubyte.gz"
ELSEWHERE = "https://mirror.invalid/"
HINT = "if your organisation inspects HTTPS, REQUESTS_CA_BUNDLE must name a file with its certificates"


def certificate(path: Path, address: str = "127.0.0.1", days: int = 1) -> Path:
    """Write a certificate that signs itself, and its key, into one file; it ends after that many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a mirror")])
    start = datetime.now(UTC) - timedelta(days=9)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=9 + days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


def failure(folder: Path, mirror: str, timeout: float = 30) -> str:
    """Return why the download failed, in both tries."""
    with pytest.raises(InputError) as failed:
        fetch(folder / NAME, [mirror], "0" * 64, "contents", timeout=timeout)
    before, reason = str(failed.value).split(f"{mirror}{NAME}: ")
    assert before.endswith("could not be downloaded (you can put it there yourself): ")
    return reason


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Server]:
    """Return a server whose certificate only `mirror.pem` makes known."""
    with serving(certificate(tmp_path / "mirror.pem")) as running:
        yield running


def test_a_certificate_that_the_variable_names_is_trusted(
    secure: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "mirror.pem"))
    assert failure(tmp_path, secure.mirror) == "HTTP status 404 (Not Found)"


def test_an_untrusted_certificate_is_reported(secure: Server, tmp_path: Path) -> None:
    assert failure(tmp_path, secure.mirror) == f"its certificate is not accepted (self-signed certificate); {HINT}"


@pytest.mark.parametrize(
    ("address", "days", "reason"),
    [
        ("127.0.0.1", -1, "certificate has expired"),
        ("127.0.0.2", 1, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
    ids=["expired", "another host"],
)
def test_an_invalid_certificate_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, days: int, reason: str
) -> None:
    file = certificate(tmp_path / "invalid.pem", address, days)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(file))
    with serving(file) as server:
        why = failure(tmp_path, server.mirror)
    assert why == f"its certificate is not accepted by the certificates that CURL_CA_BUNDLE names ({reason}); {HINT}"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is not a file of certificates in PEM format"),
        (
            b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
            "is not a file of certificates in PEM format",
        ),
    ],
    ids=["missing", "empty", "damaged"],
)
def test_a_wrong_file_of_certificates_is_reported_with_its_variable(
    secure: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path))
    assert failure(tmp_path, secure.mirror) == f"{variable} names {path}, which {reason}"


def test_a_server_without_https_is_reported(server: Server, tmp_path: Path) -> None:
    mirror = server.mirror.replace("http:", "https:")
    assert failure(tmp_path, mirror) == "no secure connection (wrong version number)"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_refuses_is_reported_with_its_variable(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, server.mirror)
    assert failure(tmp_path, ELSEWHERE) == (
        f"the proxy that {variable} names refuses the connection: HTTP status 403 (Forbidden)"
    )
    server.refusal = 407
    asks = f"the proxy that {variable} names does not accept the user name and password, or none were given"
    assert failure(tmp_path, ELSEWHERE) == asks


NOT_AN_ADDRESS = "HTTPS_PROXY is not a valid address of a proxy, such as http://proxy.example:3128"
NOT_REACHED = "the proxy that HTTPS_PROXY names cannot be reached: "
PROXIES = {
    "closed": ("{closed}", NOT_REACHED + "connection refused"),
    "without a name": (
        "http://user:secret@proxy.invalid:3128",
        NOT_REACHED + "its host name has no address; is this machine connected to a network?",
    ),
    "HTTPS": (
        "https://user:secret@{address}",
        "the proxy that HTTPS_PROXY names does not use HTTPS itself; its address must start with http://",
    ),
    "SOCKS": (
        "socks5h://user:secret@{address}",
        "HTTPS_PROXY names a SOCKS proxy; set it to an HTTP proxy, or install the Python package PySocks",
    ),
    "no port": ("http://user:secret@proxy.invalid:port", NOT_AN_ADDRESS),
    "port too large": ("http://user:secret@proxy.invalid:99999", NOT_AN_ADDRESS),
    "no host": ("http://user:secret@", NOT_AN_ADDRESS),
    "unescaped password": ("http://user:sec/ret@proxy.invalid:3128", NOT_AN_ADDRESS),
    "another scheme": ("ftp://user:secret@proxy.invalid:21", NOT_AN_ADDRESS),
    "long name": (f"http://user:secret@{'a' * 64}:3128", NOT_AN_ADDRESS),
}


@pytest.mark.parametrize(("proxy", "reason"), PROXIES.values(), ids=PROXIES)
def test_a_wrong_proxy_is_reported_without_its_password(
    server: Server,
    closed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    proxy: str,
    reason: str,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(closed=closed, address=server.mirror.split("/")[2]))
    assert failure(tmp_path, ELSEWHERE) == reason
    assert "sec" not in capsys.readouterr().err.replace("secure", "")


def test_a_proxy_with_an_untrusted_certificate_is_reported(
    secure: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", secure.mirror)
    assert failure(tmp_path, ELSEWHERE) == (
        f"{NOT_REACHED}its certificate is not accepted (self-signed certificate); {HINT}"
    )


def test_a_proxy_does_not_matter_for_a_host_without_one(
    secure: Server, closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://[")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert failure(tmp_path, closed.replace("http:", "https:")) == "connection refused"


def test_a_host_without_an_address_is_reported(tmp_path: Path) -> None:
    assert failure(tmp_path, ELSEWHERE) == "its host name has no address; is this machine connected to a network?"


def test_a_network_that_is_not_there_is_reported(tmp_path: Path) -> None:
    # A broadcast address: the system refuses to connect to it.
    assert failure(tmp_path, "https://255.255.255.255/") == "network is unreachable"


def test_a_server_that_hangs_up_is_reported(tmp_path: Path) -> None:
    def hang_up() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.recv(2**16)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=hang_up)
        thread.start()
        why = failure(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join()
    assert why == "the server closed the connection without an answer"


def test_mirrors_that_fail_for_one_reason_share_it(server: Server, tmp_path: Path) -> None:
    mirrors = server.mirror, f"{server.mirror}other/"
    server.replies[NAME] = [Reply(b"", status=404)]
    with pytest.raises(InputError) as failed:
        fetch(tmp_path / NAME, mirrors, "0" * 64, "contents")
    addresses = " and ".join(mirror + NAME for mirror in mirrors)
    assert str(failed.value).endswith(f" yourself): {addresses}: HTTP status 404 (Not Found)")


@pytest.mark.slow
def test_the_stage_ends_with_one_sentence_that_names_the_variable(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    text = (root / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(re.sub("dataset: mnist", "dataset: fashion_mnist", text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "src/prepare.py"],
        cwd=tmp_path,
        env=os.environ | {"VAE_CACHE_DIR": str(tmp_path / "cache"), "REQUESTS_CA_BUNDLE": "/nonexistent.pem"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: fashion_mnist cannot be downloaded: "
        "REQUESTS_CA_BUNDLE names /nonexistent.pem, which cannot be read (No such file or directory).\n"
    )
    assert not (tmp_path / "data").exists()
