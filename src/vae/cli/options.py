"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

MODEL = Path("models/vae.keras")

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGES...",
        help="Image files, folders with images at any depth, .npz files, folders of IDX files, or patterns.",
        show_default=False,
    ),
]
ModelArgument = Annotated[Path, typer.Argument(metavar="[MODEL]", help="The file of the trained model.")]
ModelOption = Annotated[Path, typer.Option("--model", "-m", metavar="MODEL", help="The file of the trained model.")]
Table = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="A .csv or .npz file, or - for standard output.")
]
Pictures = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .png file with all images, a folder for a PNG of each (its name ends in /), a .npz or .csv file, or - "
        "for standard output.",
        show_default=False,
    ),
]
TableFormat = Annotated[
    Literal["csv", "npz"] | None,
    typer.Option("--format", help="The format, if the name of the output does not say it.", show_default=False),
]
PictureFormat = Annotated[
    Literal["csv", "npz", "png"] | None,
    typer.Option("--format", help="The format, if the name of the output does not say it.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
ClassName = Annotated[
    str | None,
    typer.Option(
        "--class", metavar="NAME", help="The class of all images, for a conditional model.", show_default=False
    ),
]
SkipUnreadable = Annotated[bool, typer.Option("--skip-unreadable", help="Leave out files that cannot be read.")]
BatchSize = Annotated[int, typer.Option(min=1, help="The most images in memory at a time.")]
Seed = Annotated[int, typer.Option(min=0, help="The seed of the draws.")]
Part = Annotated[
    str,
    typer.Option(
        "--part",
        metavar="I/N",
        help="Encode only part I of N, so that N workers share the images. The rows of all parts, one after the other, "
        "are the rows without this option.",
    ),
]
