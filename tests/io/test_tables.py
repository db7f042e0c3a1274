"""Tables of results: which digits are written, and which files are refused."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vae.errors import InputError
from vae.io.tables import read_csv, write_csv, write_json, write_metrics


def test_json_is_indented_and_ends_in_a_line_break(tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"elbo": -102.5, "terms": {"kl": 19.25}, "images": 10})
    expected = '{\n  "elbo": -102.5,\n  "terms": {\n    "kl": 19.25\n  },\n  "images": 10\n}\n'
    assert (tmp_path / "metrics.json").read_bytes() == expected.encode()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (102.712345678912, "102.712346"),
        (np.float64(0.000123456789123), "0.000123456789"),
        (-1 / 3, "-0.333333333"),
        (1.0, "1.0"),
        (12345678912.5, "12345678900.0"),
        (12345678912, "12345678912"),
        (True, "true"),
        ([1 / 3, (2 / 3,)], "[0.333333333,[0.666666667]]"),
        ({"kl": {"mean": 2 / 3}}, '{"kl":{"mean":0.666666667}}'),
    ],
    ids=str,
)
def test_json_contains_numbers_with_nine_significant_digits(tmp_path: Path, number: object, text: str) -> None:
    write_json(tmp_path / "metrics.json", {"x": number})
    assert "".join((tmp_path / "metrics.json").read_text().split()) == f'{{"x":{text}}}'


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (102.712345678912, "102.712"),
        (98765.4321, "98765.4"),
        (np.float64(0.134678504), "0.134679"),
        (-1 / 3, "-0.333333"),
        (0.9359, "0.9359"),
        (1234567, "1234567"),
    ],
    ids=str,
)
def test_metrics_have_six_significant_digits(tmp_path: Path, number: float, text: str) -> None:
    write_metrics(tmp_path / "metrics.json", {"loss": number})
    assert (tmp_path / "metrics.json").read_text() == f'{{\n  "loss": {text}\n}}\n'


@pytest.mark.parametrize("number", [math.nan, -math.inf])
def test_json_with_a_number_that_is_not_finite_is_not_written(tmp_path: Path, number: float) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("former")
    with pytest.raises(InputError) as refused:
        write_json(path, {"images": 10, "terms": {"kl": number, "reconstruction": 1.0}, "losses": [1.0, number]})
    named = f"losses = [1.0, {number}], terms.kl = {number}"
    assert str(refused.value).startswith(f"{path} cannot contain {named}: if the model has diverged, ")
    assert path.read_text() == "former"


def test_csv_contains_seven_significant_digits_and_no_index(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"epoch": [1, 2], "loss": [123.456789, 0.1], "kl": np.array([0.1, 1e-9], np.float32)}, index=[7, 8]
    )
    write_csv(tmp_path / "history.csv", table)
    assert (tmp_path / "history.csv").read_bytes() == b"epoch,loss,kl\n1,123.4568,0.1\n2,0.1,1e-09\n"


def test_csv_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss,kl\n1,2.5,3\n")
    assert read_csv(tmp_path / "history.csv", "kl", "loss").to_dict("list") == {
        "epoch": [1.0],
        "loss": [2.5],
        "kl": [3.0],
    }


CONTENTS = {
    "empty": "",
    "no such column": "epoch,kl\n1,2\n",
    "no rows": "epoch,loss\n",
    "not a number": "epoch,loss\n1,many\n",
    "too many fields": "epoch,loss\n1,2\n3,4,5\n",
    "not UTF-8": "epoch,loss\n1,\xe9\n",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_is_not_such_a_table_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InputError) as refused:
        read_csv(path, "epoch", "loss")
    message = str(refused.value)
    assert message.startswith(f"{path} is not a table with epoch, loss (")
    assert message.endswith("); `dvc repro` makes it again.")
    assert message.isprintable()


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_csv(tmp_path / "history.csv", "loss")
    assert str(refused.value) == f"{tmp_path / 'history.csv'} is missing; `dvc repro` makes it."
