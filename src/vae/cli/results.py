"""What the commands with results do: check the output, open the model, compute, write, and say so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vae.inference.outputs import Results
    from vae.model.vae import VAE


class Destination(NamedTuple):
    """Where the user wants the results."""

    output: str
    format: str | None
    force: bool


def write_results(
    compute: Callable[[VAE], Iterable[Results]],
    model: Path,
    destination: Destination,
    things: str,
    *,
    images: bool = True,
    columns: int | None = None,
) -> None:
    """Write what `compute` returns for the model, and print on stderr how many rows were written where.

    Args:
        compute: returns the results, some rows at a time. It is called after the output has been checked.
        model: the file of the model.
        destination: where the results are written.
        things: what the rows are; `{unit}` in it stands for the unit of the model's likelihood.
        images: whether the results are images.
        columns: the images in a row of a picture.

    Raises:
        InputError: as in `open_output`, `open_model`, `compute` and `write`.
    """
    from vae.inference.model import open_model
    from vae.inference.outputs import open_output, write

    target = open_output(destination.output, destination.format, force=destination.force, images=images)
    opened = open_model(model)
    count = write(compute(opened), target, columns)
    if not target.is_standard:
        what = things.format(unit=opened.likelihood.unit)
        print(f"wrote {count:,} {what} to {destination.output}", file=sys.stderr)
