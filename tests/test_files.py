"""Files and folders that are whole or not there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vae.files import whole, write_csv, write_json


def tree(folder: Path) -> dict[str, str]:
    """Every file below `folder`, hidden ones too, with its text."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_made_with_its_folders(tmp_path: Path) -> None:
    with whole(tmp_path / "a/b/file.txt") as part:
        part.write_text("new")
    assert tree(tmp_path) == {"a/b/file.txt": "new"}


def test_a_file_takes_the_place_of_the_former_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("former")
    with whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "former"
        assert (part.parent, part.suffix) == (path.parent, path.suffix)
    assert tree(tmp_path) == {"file.txt": "new"}


def test_a_folder_takes_the_place_of_the_former_with_all_it_held(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/former.txt").write_text("former")
    with whole(tmp_path / "folder") as part:
        part.mkdir()
        (part / "new.txt").write_text("new")
    assert tree(tmp_path) == {"folder/new.txt": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_former_file_is_all_there_is(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "file.txt").write_text("former")

    def write_half() -> None:
        with whole(tmp_path / "file.txt") as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert tree(tmp_path) == {"file.txt": "former"}


def test_after_an_error_the_former_folder_is_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/former.txt").write_text("former")

    def write_half() -> None:
        with whole(tmp_path / "folder") as part:
            part.mkdir()
            (part / "new.txt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert tree(tmp_path) == {"folder/former.txt": "former"}
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("former", ["file.txt", "folder/file.txt"])
def test_a_writer_that_writes_nothing_leaves_the_former(tmp_path: Path, former: str) -> None:
    path = tmp_path / former
    path.parent.mkdir(exist_ok=True)
    path.write_text("former")
    with pytest.raises(FileNotFoundError), whole(tmp_path / Path(former).parts[0]):
        pass
    assert tree(tmp_path) == {former: "former"}


def test_json_is_indented_and_ends_in_a_line_break(tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"elbo": -102.5, "terms": {"kl": 19.25}, "images": 10})
    expected = '{\n  "elbo": -102.5,\n  "terms": {\n    "kl": 19.25\n  },\n  "images": 10\n}\n'
    assert (tmp_path / "metrics.json").read_bytes() == expected.encode()


def test_csv_has_no_index_and_seven_significant_digits(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"epoch": [1, 2], "loss": [123.456789, 0.1], "kl": np.array([0.1, 1e-9], np.float32)}, index=[7, 8]
    )
    write_csv(tmp_path / "history.csv", table)
    assert (tmp_path / "history.csv").read_bytes() == b"epoch,loss,kl\n1,123.4568,0.1\n2,0.1,1e-09\n"
