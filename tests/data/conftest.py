"""A mirror for downloads."""

from collections.abc import Iterator

import pytest

from mirror import Server, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    with serving() as running:
        yield running
