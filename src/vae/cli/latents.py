"""The commands that take or draw latent vectors: decode, sample."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vae.cli.options import (
    MODEL,
    BatchSize,
    ClassName,
    Force,
    ModelOption,
    PictureFormat,
    Pictures,
    Seed,
)
from vae.cli.results import Destination, write_results


def decode(
    latents: Annotated[
        str,
        typer.Argument(
            metavar="LATENTS",
            help="A .csv file with the columns z_0, z_1, … or z_mean_0, …; a .npz file with z or z_mean; a pattern for "
            "several files; or - for a table on standard input.",
            show_default=False,
        ),
    ],
    output: Pictures,
    model: ModelOption = MODEL,
    format: PictureFormat = None,  # noqa: A002, the option's name
    class_name: ClassName = None,
    batch_size: BatchSize = 500,
    force: Force = False,
) -> None:
    """Decode latent vectors to images: the mean of p(x|z) for each row."""
    from vae.inference.operations import decode_rows

    source, destination = sys.stdin if latents == "-" else latents, Destination(output, format, force)
    write_results(lambda opened: decode_rows(source, opened, class_name, batch_size), model, destination, "images")


def sample(
    output: Pictures,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="The number of images.")] = 100,
    seed: Seed = 0,
    latents: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw from a mixture of Gaussians fitted to these latent vectors, which vae encode or the pipeline "
            "wrote (or those in all files that match a pattern), instead of from the model's prior.",
            show_default=False,
        ),
    ] = None,
    components: Annotated[int, typer.Option(min=1, help="The number of those Gaussians.")] = 10,
    model: ModelOption = MODEL,
    format: PictureFormat = None,  # noqa: A002
    class_name: ClassName = None,
    force: Force = False,
) -> None:
    """Draw new images, from the prior or near given latent vectors."""
    from vae.inference.operations import sample_rows

    write_results(
        lambda opened: sample_rows(count, opened, seed, class_name, latents, components),
        model,
        Destination(output, format, force),
        "images",
    )
