"""The folder of downloads."""

from pathlib import Path

import pytest

from vae.data.cache import cache_folder
from vae.errors import InputError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VAE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, "{home}/.cache/vae-pipeline"),
        ({"XDG_CACHE_HOME": "/disk/caches"}, "/disk/caches/vae-pipeline"),
        ({"VAE_CACHE_DIR": "/disk/raw", "XDG_CACHE_HOME": "/disk/caches"}, "/disk/raw"),
        ({"VAE_CACHE_DIR": ""}, "{home}/.cache/vae-pipeline"),
        ({"VAE_CACHE_DIR": "~/raw"}, "{home}/raw"),
    ],
    ids=["usual", "xdg", "named", "empty", "home"],
)
def test_the_folder_is_in_the_users_cache_or_named_by_a_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], folder: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder.format(home=tmp_path))


def test_a_relative_path_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CACHE_DIR", "raw")
    with pytest.raises(InputError) as refused:
        cache_folder()
    assert str(refused.value) == "VAE_CACHE_DIR is 'raw', but must be an absolute path, or start with ~."


@pytest.mark.parametrize("named", ["", "~nobody-here/raw"])
def test_an_unknown_home_is_reported(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    def unknown(*_: object) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setenv("VAE_CACHE_DIR", named)
    with pytest.raises(InputError, match=r"^The home folder is unknown; VAE_CACHE_DIR must name "):
        cache_folder()
