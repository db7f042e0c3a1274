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
    PictureFormat,
    Pictures,
    Seed,
    SkipUnreadable,
    Table,
    TableFormat,
    report,
)


def encode(
    images: Images,
    output: Table = "-",
    model: ModelOption = MODEL,
    format: TableFormat = None,  # noqa: A002, the option's name
    class_name: ClassName = None,
    skip_unreadable: SkipUnreadable = False,
    batch_size: BatchSize = 500,
    force: Force = False,
) -> None:
    """Encode images to latent vectors.

    Each row has the name of an image, and the mean and the log-variance of q(z|x).
    """
    from vae.inference.images import Choices
    from vae.inference.model import open_model
    from vae.inference.operations import encode_rows
    from vae.inference.outputs import open_output, write

    target = open_output(output, format, force=force, images=False)
    choices = Choices(batch_size, class_name, skip_unreadable)
    report(write(encode_rows(images, open_model(model), choices), target), "rows", output)


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
    from vae.inference.model import open_model
    from vae.inference.operations import reconstruct_rows
    from vae.inference.outputs import open_output, write

    target = open_output(output, format, force=force)
    choices = Choices(batch_size, class_name, skip_unreadable)
    report(write(reconstruct_rows(images, open_model(model), choices), target), "images", output)


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
    from vae.inference.model import open_model
    from vae.inference.outputs import open_output, write

    target, opened = open_output(output, format, force=force, images=False), open_model(model)
    ranked = operations.score(
        images,
        opened,
        samples=samples,
        seed=seed,
        batch_size=batch_size,
        class_name=class_name,
        skip_unreadable=skip_unreadable,
    )
    report(write([ranked], target), f"scores, in {opened.likelihood.unit},", output)


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
    from vae.inference.model import open_model
    from vae.inference.outputs import open_output, write

    target = open_output(output, format, force=force)
    walk = operations.interpolate(start, end, open_model(model), steps=steps, class_name=class_name)
    report(write([walk], target, columns=steps), "images", output)
