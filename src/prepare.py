"""Stage `prepare`: the raw IDX files to normalized training, validation and test images in `data/prepared/`."""

from pathlib import Path

from vae.datasets import SOURCES, load
from vae.errors import run_stage
from vae.preparation import split
from vae.settings import Prepare, load_settings
from vae.splits import save_split


def main() -> None:
    settings, seed = load_settings(Prepare)
    source = SOURCES[settings.dataset]
    train, test = load(source, Path("data/raw") / settings.dataset)
    splits = split(train, test, source.class_names, settings.share, settings.validation_size, seed)
    for name, part in splits.items():
        save_split(Path(f"data/prepared/{name}.npz"), part)
        print(f"{name}: {len(part.images):,} images of {settings.dataset}")


if __name__ == "__main__":
    run_stage(main)
