"""How a sweep has ended, for people."""

import math
from collections.abc import Mapping

from vae.sweeps.records import Record
from vae.sweeps.settings import Trial


def describe(record: Record) -> str:
    """Return how a trial has ended, in a line."""
    epochs = f"{len(record.losses)} epoch{'' if len(record.losses) == 1 else 's'}"
    if record.status == "failed":
        return f"failed after {epochs}: {record.message}"
    loss = "validation loss" if record.kept is not None else "lowest validation loss"
    return f"{record.status} after {epochs}, {loss} {record.best:.2f}"


def table(trials: list[Trial], records: Mapping[str, Record | None]) -> str:
    """Return a table of the trials, the lowest validation loss first."""
    keys = list(trials[0].varied)
    shown = [key.rpartition(".")[2] for key in keys]
    heads = ["trial", *(key if shown.count(short) > 1 else short for key, short in zip(keys, shown, strict=True))]
    rows = [[*heads, "epochs", "validation loss", "status"]]
    for trial in sorted(trials, key=lambda trial: _order(records[trial.name])):
        record = records[trial.name] or Record("failed", [])
        loss = "-" if record.best is None else f"{record.best:.2f}"
        values = [str(trial.settings[key]) for key in keys]
        rows.append([trial.name, *values, str(len(record.losses)), loss, record.status])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _order(record: Record | None) -> tuple[bool, float]:
    if record is None or record.best is None:
        return True, math.inf
    return record.status == "failed", record.best
