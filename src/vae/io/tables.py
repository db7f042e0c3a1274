"""Tables of results: JSON and CSV files."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vae.errors import InputError
from vae.io.whole import whole

RESULT_DIGITS = 9
"""Significant digits of a result: the last of float64's sixteen differ between processors."""
METRIC_DIGITS = 6
"""Significant digits of a metric, so that the columns of `dvc metrics show` stay narrow."""


def write_metrics(path: Path, metrics: Mapping[str, float]) -> None:
    """Write DVC metrics, rounded to six significant digits.

    `dvc metrics show` prints a row for each file and a column for each name. Files therefore share a name where the
    meaning and the unit are the same.

    Raises:
        InputError, OSError: as in `write_json`.
    """
    write_json(path, dict(metrics), digits=METRIC_DIGITS)


def write_json(path: Path, content: dict[str, Any], digits: int = RESULT_DIGITS) -> None:
    """Write nested sections of results, with numbers rounded to that many significant digits.

    Raises:
        InputError: a number is infinite or NaN, which JSON cannot express.
        OSError: as in `whole`.
    """
    try:
        text = json.dumps(_rounded(content, digits), indent=2, allow_nan=False)
    except ValueError:
        results = pd.json_normalize(content).to_dict("records")[0]
        wrong = [f"{key} = {value}" for key, value in results.items() if re.search("NaN|Infinity", json.dumps(value))]
        raise InputError(
            f"{path} cannot contain {', '.join(wrong)}: if the model has diverged, train it at a lower learning rate."
        ) from None
    with whole(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any, digits: int) -> Any:
    """Return the value with every float in it rounded."""
    if isinstance(value, dict):
        return {key: _rounded(inner, digits) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner, digits) for inner in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def read_csv(path: Path, *columns: str) -> pd.DataFrame:
    """Read a table that has at least the named columns, of numbers.

    Raises:
        InputError: the file is missing, has no rows, lacks a column, or is not a CSV file of numbers.
        OSError: it cannot be read.
    """
    try:
        table = pd.read_csv(path)
        table[[*columns]]  # raises KeyError if one is missing
        if len(table):
            return table.astype(dict.fromkeys(columns, float))
        reason = "it has no rows"
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it.") from None
    except (KeyError, ValueError) as error:  # pandas's parsing errors are ValueErrors
        reason = " ".join(str(error).split())
    raise InputError(f"{path} is not a table with {', '.join(columns)} ({reason}); `dvc repro` makes it again.")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write the table without its index, with numbers rounded to seven significant digits (float32 has no more).

    Raises:
        OSError: as in `whole`.
    """
    with whole(path) as part:
        table.to_csv(part, index=False, float_format="%.7g", lineterminator="\n")
