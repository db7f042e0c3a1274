"""Print the parameters and the multiply-adds of each architecture: `python -m benchmarks.architectures`."""

import argparse

import pandas as pd

from benchmarks import multiply_adds
from vae.errors import InputError
from vae.model.architectures import ARCHITECTURES, ImageShape
from vae.stage import run_stage

BATCH_SIZE = 80
"""The batch over which an `AffineMap` shares what it computes once: as in `params.yaml`."""


def sizes(image_shape: ImageShape, latent_dim: int) -> pd.DataFrame:
    """Return a row for each architecture: parameters, and multiply-adds of one image's forward pass, of each part.

    The decoder yields one output for each value, as for the likelihood `bernoulli`.

    Raises:
        InputError: an architecture has no layers for images of that shape.
    """
    rows = {}
    for name, layers in ARCHITECTURES.items():
        parts = {
            "encoder": layers.build_encoder(image_shape, latent_dim, dropout=0.0, seed=0, precision="float32"),
            "decoder": layers.build_decoder(image_shape, latent_dim, outputs=image_shape[2], precision="float32"),
        }
        rows[name] = {f"{part} parameters": model.count_params() for part, model in parts.items()} | {
            f"{part} multiply-adds": round(multiply_adds.of_model(model, BATCH_SIZE)) for part, model in parts.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.architectures", description=__doc__)
    parser.add_argument("--image-size", type=int, nargs=2, default=(28, 28), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--latent-dim", type=int, default=10, metavar="K")
    arguments = parser.parse_args()
    for name, number in (("--channels", arguments.channels), ("--latent-dim", arguments.latent_dim)):
        if number < 1:
            raise InputError(f"{name} is {number}, but must be at least 1.")
    table = sizes((*arguments.image_size, arguments.channels), arguments.latent_dim)
    print(table.map("{:,}".format).to_string())


if __name__ == "__main__":
    run_stage(main)
