"""Stage `prepare`: turn the raw images into normalized training, validation and test splits."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

from vae.data.catalogue import SOURCES, load
from vae.data.preparation import split
from vae.data.splits import save_split
from vae.settings.loader import load_settings
from vae.settings.prepare import Prepare
from vae.stage import run_stage


def main() -> None:
    seed, settings = load_settings(Prepare)
    data = load(SOURCES[settings.dataset], Path("data/raw") / settings.dataset)
    for name, part in split(data, settings.share, settings.validation_size, seed).items():
        save_split(Path(f"data/prepared/{name}.npz"), part)
        print(f"{name}: {len(part.images):,} images of {settings.dataset}")


if __name__ == "__main__":
    run_stage(main)
