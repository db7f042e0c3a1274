"""Stage `embed`: encode all images to latent vectors and probe them for the classes."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

from vae.data.splits import SPLITS, load_splits, missing_classes
from vae.evaluation.embedding import embed, save_embedding, seen_by, to_table
from vae.evaluation.left_out import leave_out
from vae.evaluation.probes import parts_to_probe, probe, summary
from vae.io.tables import write_csv, write_json, write_metrics
from vae.model.checkpoint import load_model
from vae.model.vae import VAE
from vae.settings.embed import Embed
from vae.settings.loader import load_settings
from vae.stage import run_stage


def main() -> None:
    seed, settings = load_settings(Embed)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    splits = load_splits(Path("data/prepared"), image_shape=model.image_shape)
    means = {}
    for name, split in zip(SPLITS, splits, strict=True):
        embedding = embed(model, seen_by(model, split), settings.batch_size, f"embed, {name}")
        save_embedding(Path(f"data/embeddings/{name}.npz"), embedding)
        if name == "test":
            write_csv(Path("data/embeddings/test.csv"), to_table(embedding))
        print(f"{name}: {len(split.images):,} images in {model.latent_dim} latent dimensions", flush=True)
        means[name] = embedding.z_mean
    train, _, test = splits
    if not (reason := missing_classes(train)):
        latents = train._replace(images=means["train"]), test._replace(images=means["test"])
        train, test, numbers = parts_to_probe(*latents, seed, "latents")
        reason = missing_classes(train)  # of the part
    if reason:
        leave_out(
            "The probes of the latent vectors are",
            reason,
            Path("reports/details/embed.json"),
            Path("reports/latents.json"),
        )
        return
    results = probe(train.images[:], train.known_labels, test.images[:], test.known_labels, seed=seed, title="latents")
    write_json(Path("reports/details/embed.json"), {"latents": results | numbers})
    write_metrics(Path("reports/latents.json"), {"accuracy": results["logistic_regression"]["accuracy"]})
    print(f"latent means, test images: {summary(results)}")


if __name__ == "__main__":
    run_stage(main)
