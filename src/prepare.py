"""Stage `prepare`: turn the raw images into normalized training, validation and test splits."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

from vae.data.formats.options import Options
from vae.data.loading import describe, load_data_set
from vae.data.preparation import split
from vae.data.shards import save_split
from vae.settings.loader import load_settings
from vae.settings.prepare import Prepare, require_data_set
from vae.stage import run_stage


def main() -> None:
    seed, settings = load_settings(Prepare)
    require_data_set(settings.dataset)
    options = Options(settings.image_size, settings.channels, settings.fit, settings.skip_unreadable)
    data = load_data_set(settings.dataset, options)
    splits = split(data, settings.share, settings.validation_size, settings.test_size, seed)
    print(describe(settings.dataset, data), *data.notes, sep="\n")
    for name, part in splits.items():
        save_split(Path(f"data/prepared/{name}.npz"), *part, fit=settings.fit)
        print(f"{name}: {len(part.images):,} images")


if __name__ == "__main__":
    run_stage(main)
