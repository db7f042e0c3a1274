"""Stage `embed`: the latent vectors of all splits to `data/embeddings/`; those of the test images also as a CSV."""

from pathlib import Path

from vae.errors import run_stage
from vae.files import write_csv
from vae.nn.checkpoint import load_checkpoint
from vae.nn.embedding import embed, to_table
from vae.settings import Embed, load_settings
from vae.splits import SPLITS, load_split, save_arrays


def main() -> None:
    settings, _ = load_settings(Embed)
    model = load_checkpoint(Path("models/vae"))
    for name in SPLITS:
        split = load_split(Path(f"data/prepared/{name}.npz"))
        embedding = embed(model, split.images, split.labels, settings.batch_size)
        save_arrays(Path(f"data/embeddings/{name}.npz"), **embedding._asdict())
        if name == "test":
            write_csv(Path("data/embeddings/test.csv"), to_table(embedding))
        print(f"{name}: {len(split.images):,} images in {model.latent_dim} latent dimensions")


if __name__ == "__main__":
    run_stage(main)
