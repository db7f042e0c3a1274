"""The command that trains: sweep."""

from pathlib import Path
from typing import Annotated

import typer


def sweep(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="What to vary, and how.")] = Path("sweep.yaml"),
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The Ray cluster to run on, as ray start --head prints it; by default only this machine.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the trials.")] = False,
) -> None:
    """Train with many settings, several at once, each a DVC experiment.

    Run it in the project's folder. After a kill, the same command continues. docs/sweeps.md describes the file.
    """
    from vae.sweeps.sweep import run_sweep

    run_sweep(file, address, dry_run)
