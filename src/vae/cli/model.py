"""The commands about the model itself: info, card, export, explore."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vae.cli.options import MODEL, Force, ModelArgument


def info(
    model: ModelArgument = MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a model is and which images it takes."""
    from vae.inference.description import info as describe

    found = describe(model)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' ')}: {_text(value)}")


def card(
    model: ModelArgument = MODEL,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="A file, or - for standard output.")
    ] = "-",
    license_id: Annotated[
        str | None,
        typer.Option(
            "--license",
            metavar="ID",
            help="The licence of the model, for example mit. By default it is the licence of the images.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What to call your own images; their path is never shown.", show_default=False
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write the model card of the pipeline's model.

    The card is Markdown: YAML for model hubs, then data, parameters, results and limits. It needs the results of the
    run that made the model.
    """
    from vae.card.card import model_card, write_card

    write_card(lambda: model_card(model, license_id=license_id, data=data), output, force=force)


def export(
    format: Annotated[  # noqa: A002, the option's name
        Literal["onnx", "litert", "saved_model"], typer.Option(help="The format of the files.", show_default=False)
    ],
    model: ModelArgument = MODEL,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of the encoder and the decoder.")
    ] = Path("exported"),
    images: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGES",
            help="The images on which the files are compared with Keras; by default the pipeline's test images. If "
            "these are missing, draws from the model.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write encoder and decoder for programs without Keras.

    Both are compared with Keras before anything is left on disk. docs/export.md describes the files.
    """
    from vae.exporting import export as exporting
    from vae.exporting.comparison import images_to_compare
    from vae.inference.model import open_model

    opened = open_model(model)
    compared, labels, what = images_to_compare(images, opened)
    report = exporting.export(opened, output, format, compared, labels, force=force)
    print(f"wrote {', '.join(report.files.values())} and vae.json to {report.folder}", file=sys.stderr)
    found = ", ".join(f"{name} {value:.1e}" for name, value in report.differences.items())
    print(f"largest differences from Keras on {report.images:,} {what}: {found}")


def explore(
    page: Annotated[Path, typer.Argument(metavar="[PAGE]", help="The page.")] = Path("reports/explorer.html"),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address of the page.")] = False,
) -> None:
    """Open the page on which to explore the pipeline's model.

    It is one file, which works offline and can be copied anywhere.
    """
    from vae.cli import opening

    print(opening.address(page))
    if not no_browser and not opening.explore(page):
        print("no browser was found here: open this address in one", file=sys.stderr)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
