"""The commands that take images: encode, reconstruct, score, interpolate."""

from typing import Annotated

import typer

from vae.cli.options import (
    MODEL,
    BatchSize,
    ClassName,
    Force,
    Images,
    ModelOption,
    Part,
    PictureFormat,
    Pictures,
    Seed,
    SkipUnreadable,
    Table,
    TableFormat,
)
from vae.cli.results import Destination, write_results


def encode(
    images: Images,
    output: Table = "-",
    model: ModelOption = MODEL,
    format: TableFormat = None,  # noqa: A002, the option's name
    class_name: ClassName = None,
    skip_unreadable: SkipUnreadable = False,
    batch_size: BatchSize = 500,
    part: Part = "1/1",
    force: Force = False,
) -> None:
    """Encode images to latent vectors.

    Each row has the name of an image, and the mean and the log-variance of q(z|x).
    """
    from vae.inference.parts import parse_part

    chosen = parse_part(part)  # before TensorFlow is imported
    from vae.inference.images import Choices
    from vae.inference.operations import encode_rows

    choices, destination = Choices(batch_size, class_name, skip_unreadable, chosen), Destination(output, format, force)
    write_results(lambda opened: encode_rows(images, opened, choices), model, destination, "rows", images=False)


def reconstruct(
    images: Images,
    output: Pictures,
    model: ModelOption = MODEL,
    format: PictureFormat = None,  # noqa: A002
    class_name: ClassName = None,
    skip_unreadable: SkipUnreadable = False,
    batch_size: BatchSize = 500,
    force: Force = False,
) -> None:
    """Encode images and decode them again.

    A PNG with all images shows pairs, the original at the left.
    """
    from vae.inference.images import Choices
    from vae.inference.operations import reconstruct_rows

    choices, destination = Choices(batch_size, class_name, skip_unreadable), Destination(output, format, force)
    write_results(lambda opened: reconstruct_rows(images, opened, choices), model, destination, "images")


def score(
    images: Images,
    output: Table = "-",
    samples: Annotated[int, typer.Option(min=1, help="Draws of z for each image.")] = 8,
    seed: Seed = 0,
    model: ModelOption = MODEL,
    format: TableFormat = None,  # noqa: A002
    class_name: ClassName = None,
    skip_unreadable: SkipUnreadable = False,
    batch_size: BatchSize = 500,
    force: Force = False,
) -> None:
    """Rank images, outliers first.

    The score is the negative ELBO of the image in nats: the higher, the less the model expects it. Equal arguments give
    equal scores.
    """
    from vae.inference import operations

    choices = {"batch_size": batch_size, "class_name": class_name, "skip_unreadable": skip_unreadable}
    write_results(
        lambda opened: [operations.score(images, opened, samples=samples, seed=seed, **choices)],
        model,
        Destination(output, format, force),
        "scores, in {unit},",
        images=False,
    )


def interpolate(
    start: Annotated[str, typer.Argument(help="The image at the start.", show_default=False)],
    end: Annotated[str, typer.Argument(help="The image at the end.", show_default=False)],
    output: Pictures,
    steps: Annotated[int, typer.Option(min=2, help="The number of images, both ends included.")] = 11,
    model: ModelOption = MODEL,
    format: PictureFormat = None,  # noqa: A002
    class_name: ClassName = None,
    force: Force = False,
) -> None:
    """Draw the way from one image to another."""
    from vae.inference import operations

    write_results(
        lambda opened: [operations.interpolate(start, end, opened, steps=steps, class_name=class_name)],
        model,
        Destination(output, format, force),
        "images",
        columns=steps,
    )
