"""The page in Debian's Firefox: it opens from a copied file, draws, computes and reports no error."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.explorer.pages import contents_of, model_of, written
from vae.explorer.contents import Contents

BROWSERS = ("firefox-esr", "firefox")
PREFERENCES = {
    "marionette.port": 0,  # any free one, which Firefox writes into the profile
    "network.proxy.type": 1,  # a proxy that does not answer: offline
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.auto": False,
}
STATE = """
    const [map] = document.querySelectorAll("#map canvas");
    const data = map.getContext("2d").getImageData(0, 0, map.width, map.height).data;
    const { state, model } = window.wrappedJSObject?.explorer ?? window.explorer;
    return {
        trouble: document.getElementById("trouble").textContent,
        dots: data.filter((value, i) => i % 4 === 3 && value > 0).length,
        terms: ["nats-reconstruction", "nats-kl"].map(id => document.getElementById(id).textContent),
        pixels: Array.from(model.decode(state.z, 0)),
        z: Array.from(state.z),
        draws: document.querySelectorAll("#draws canvas[width='28']").length,
        width: document.documentElement.scrollWidth - innerWidth,
    };
"""


class Marionette:
    """Firefox's own remote control: messages of JSON with their length before them."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.stream = self.connection.makefile("rb")
        self._receive()  # its greeting
        self.count = 0
        self.send("WebDriver:NewSession", {})

    def send(self, command: str, parameters: dict[str, Any]) -> Any:
        """Return the result of a command."""
        self.count += 1
        message = json.dumps([0, self.count, command, parameters]).encode()
        self.connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def run(self, script: str) -> Any:
        """Return what a script returns in the page."""
        return self.send("WebDriver:ExecuteScript", {"script": script, "args": [], "sandbox": None})["value"]

    def _receive(self) -> Any:
        length = b""
        while (digit := self.stream.read(1)) != b":":
            assert digit, "Firefox closed the connection"
            length += digit
        return json.loads(self.stream.read(int(length)))


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marionette]:
    path = os.environ.get("FIREFOX") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        missing = f"no browser: none of {', '.join(BROWSERS)} on PATH, and FIREFOX is not set"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    profile = tmp_path_factory.mktemp("firefox")
    lines = [f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [path, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
    process = subprocess.Popen(
        command, env=os.environ | {"HOME": str(profile)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port, deadline = profile / "MarionetteActivePort", time.monotonic() + 60
        while not (port.exists() and port.read_text()):
            assert process.poll() is None, "Firefox has ended"
            assert time.monotonic() < deadline, "Firefox does not answer"
            time.sleep(0.1)
        marionette = Marionette(int(port.read_text()))
        with marionette.connection, marionette.stream:
            yield marionette
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def contents() -> Contents:
    return contents_of(model_of((28, 28, 1), 10))


@pytest.mark.slow
def test_the_page_opens_in_firefox_draws_and_reports_no_error(
    firefox: Marionette, contents: Contents, tmp_path: Path
) -> None:
    path = Path(shutil.copy(written(tmp_path / "explorer.html", contents), tmp_path / "a copy.html"))
    firefox.send("WebDriver:Navigate", {"url": path.as_uri()})
    deadline = time.monotonic() + 30
    while firefox.run(
        "return !!document.querySelector('main[aria-busy]') || !explorer.map.frame || "
        "document.querySelectorAll(\"#draws canvas[width='28']\").length < 12"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    found, model = firefox.run(STATE), contents.model
    assert found["trouble"] == ""
    assert found["dots"] > 50 * 20
    (reconstruction,), (kl,) = model.terms(contents.test.images[:1], samples=4)
    assert [float(text) for text in found["terms"]] == pytest.approx([reconstruction, kl], abs=0.02)
    z = np.array(found["z"], np.float32)[None]
    np.testing.assert_allclose(np.reshape(found["pixels"], (1, 28, 28, 1)), model.decode(z), atol=1e-4)
    assert found["draws"] == 12
    assert found["width"] <= 0
    # An error would be seen: the page shows it.
    firefox.run("""
        const script = document.body.appendChild(document.createElement("script"));
        script.textContent = "setTimeout(() => { throw new Error('on purpose') })";
    """)
    while "on purpose" not in firefox.run("return document.getElementById('trouble').textContent"):
        assert time.monotonic() < deadline + 30
        time.sleep(0.1)
