"""The application: the commands with their help. What a command does is imported when it runs.

So the help appears at once: TensorFlow takes seconds to import.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import typer

from vae.cli import images, latents, model, sweep
from vae.stage import run_program

COMMANDS: dict[Callable[..., None], tuple[str, ...]] = {
    model.info: ("vae info", "vae info other.keras --json"),
    model.card: ("vae card", "vae card --output model-card.md --license mit"),
    images.encode: (
        "vae encode photos --output latents.csv",
        "vae encode 'scans/*.png' more.npz --output latents.npz",
        "vae encode photos | head",
        "vae encode photos --part 2/8 --output latents/2.csv",
    ),
    latents.decode: ("vae decode latents.csv --output images/", "vae decode latents.npz --output sheet.png"),
    images.reconstruct: ("vae reconstruct photos --output pairs.png", "vae reconstruct photos --output images.npz"),
    latents.sample: (
        "vae sample --count 64 --output samples.png",
        "vae sample --class 7 --output sevens.png  (a conditional model)",
        "vae sample --latents data/embeddings/train.npz --output samples/",
    ),
    images.score: ("vae score photos --output scores.csv", "vae score photos | head"),
    images.interpolate: ("vae interpolate first.png second.png --output walk.png",),
    model.explore: ("vae explore", "vae explore copied.html"),
    model.export: ("vae export --format onnx", "vae export my.keras --format litert --output phone --images photos"),
    sweep.sweep: ("vae sweep sweep.yaml", "vae sweep sweep.yaml --dry-run"),
}
"""The commands and their examples."""

app = typer.Typer(
    name="vae",
    help="Use a trained variational autoencoder (VAE) on your own images.",
    epilog="`vae COMMAND --help` has examples. `vae --install-completion` adds completion to your shell.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _framed(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the exit statuses and the messages of `run_program`."""

    @wraps(command)
    def framed(**arguments: Any) -> None:
        run_program(partial(command, **arguments))

    return framed


for _command, _examples in COMMANDS.items():
    app.command(epilog="\b\nExamples:\n  " + "\n  ".join(_examples))(_framed(_command))
