"""The history of a training: one row for each epoch."""

import numpy as np
import pandas as pd

COLUMNS = (
    *("loss", "reconstruction", "kl"),
    *("val_loss", "val_reconstruction", "val_kl"),
    *("learning_rate", "seconds"),
)
BETA = "beta"
"""The column of the weight of the KL at the end of each epoch, if that changes."""


def history(rows: list[dict[str, float]], beta: float, warmup_epochs: float) -> pd.DataFrame:
    """Return a table with the number of each epoch, from 1, and `COLUMNS`; with a warm-up of the KL also `BETA`.

    Args:
        rows: the numbers of each epoch.
        beta: the weight of the KL after its warm-up.
        warmup_epochs: the length of the warm-up in epochs.
    """
    table = pd.DataFrame(rows)[[*COLUMNS]]
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    if warmup_epochs:
        table[BETA] = beta * np.minimum(1, table.epoch / warmup_epochs)
    return table


def kept_epoch(table: pd.DataFrame) -> pd.Series:
    """Return the row of the epoch whose weights are kept: the lowest validation loss after a warm-up of the KL.

    Args:
        table: as `history` returns it, of a training whose warm-up has ended.
    """
    candidates = table[table[BETA] == table[BETA].max()] if BETA in table else table
    best: pd.Series = candidates.iloc[candidates.val_loss.argmin()]
    return best
