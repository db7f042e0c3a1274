from pathlib import Path

import pytest

from vae.errors import InputError
from vae.exporting.whole_folder import whole_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "parent/folder"
    with whole_folder(path) as new:
        (new / "file").touch()
        assert not path.exists()
    assert names(path) == ["file"]
    assert names(path.parent) == ["folder"]


def test_after_an_error_the_former_folder_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").write_text("as it was", encoding="utf-8")

    def interrupted() -> None:
        with whole_folder(path, {"old"}) as new:
            (new / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == ["folder"]
    assert (path / "old").read_text(encoding="utf-8") == "as it was"


def test_an_interrupt_between_the_two_moves_leaves_the_former_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").write_text("as it was", encoding="utf-8")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        result = rename(self, target)
        if self == path:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), whole_folder(path, {"old"}):
        pass
    assert names(tmp_path) == ["folder"]
    assert (path / "old").read_text(encoding="utf-8") == "as it was"


def test_a_folder_with_expected_names_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (path / "old").mkdir(parents=True)
    with whole_folder(path, {"old"}) as new:
        (new / "file").touch()
    assert names(path) == ["file"]
    assert names(tmp_path) == ["folder"]


def test_a_folder_that_gets_other_files_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "folder"

    def disturbed() -> None:
        with whole_folder(path):
            path.mkdir()
            (path / "mine").touch()

    with pytest.raises(InputError, match="contains mine"):
        disturbed()
    assert names(path) == ["mine"]


def test_a_file_and_a_folder_with_other_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"), whole_folder(tmp_path / "file"):
        pass
    with pytest.raises(InputError, match="contains file: name another"), whole_folder(tmp_path, {"old"}):
        pass
