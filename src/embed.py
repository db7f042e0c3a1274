"""Stage `embed`: the latent vectors of all splits to `data/embeddings/`, and what they carry of the classes.

Those of the test images are also written as a CSV; the figures go to `reports/latents.json`.
"""

from pathlib import Path

from vae.errors import run_stage
from vae.files import write_csv, write_json
from vae.nn.checkpoint import load_checkpoint
from vae.nn.embedding import embed, to_table
from vae.probes import probe, summary
from vae.settings import Embed, load_settings
from vae.splits import SPLITS, load_split, save_arrays


def main() -> None:
    settings, seed = load_settings(Embed)
    model = load_checkpoint(Path("models/vae"))
    embeddings = {}
    for name in SPLITS:
        split = load_split(Path(f"data/prepared/{name}.npz"))
        embeddings[name] = embedding = embed(model, split.images, split.labels, settings.batch_size)
        save_arrays(Path(f"data/embeddings/{name}.npz"), **embedding._asdict())
        if name == "test":
            write_csv(Path("data/embeddings/test.csv"), to_table(embedding))
        print(f"{name}: {len(split.images):,} images in {model.latent_dim} latent dimensions", flush=True)
    train, test = embeddings["train"], embeddings["test"]
    figures = probe(train.z_mean, train.labels, test.z_mean, test.labels, seed=seed, title="latents")
    write_json(Path("reports/latents.json"), {"latents": figures})
    print(f"latent means, test images: {summary(figures)}")


if __name__ == "__main__":
    run_stage(main)
