"""Stage `evaluate`: bounds on the likelihood of the test images, and what the latent dimensions carry.

The figures go to `reports/metrics.json`, the loss of each test image to `data/evaluation/test.npz`.
"""

from pathlib import Path
from typing import Any

from vae import binarization, posterior
from vae.errors import run_stage
from vae.files import write_json
from vae.nn.checkpoint import load_checkpoint
from vae.nn.embedding import encode
from vae.nn.evaluation import bounds, summarize
from vae.settings import Evaluate, load_settings
from vae.splits import load_split, save_arrays

LINE = (
    "{}, nats per image: loss {loss:.2f} = reconstruction {reconstruction:.2f} + KL {kl:.2f}, "
    "importance-weighted {importance_weighted:.2f}"
)


def main() -> None:
    settings, seed = load_settings(Evaluate)
    model = load_checkpoint(Path("models/vae"))
    images = load_split(Path("data/prepared/test.npz")).images
    entropy = binarization.entropy_nats(images)
    print(f"{settings.samples} samples of z for each of {len(images):,} test images, grey and binarized", flush=True)
    metrics: dict[str, dict[str, Any]] = {}
    for protocol, shown in {"grey": images, "binarized": binarization.binarize(images)}.items():
        parts = bounds(
            model, shown, samples=settings.samples, batch_size=settings.batch_size, seed=seed, title=protocol
        )
        metrics[protocol] = summarize(parts, entropy) | {"images": len(images), "samples": settings.samples}
        print(LINE.format(protocol, **metrics[protocol]), flush=True)
        if protocol == "grey":
            save_arrays(Path("data/evaluation/test.npz"), **parts._asdict())
    metrics["binarized"]["seed"] = binarization.SEED
    metrics["posterior"] = posterior.summarize(*encode(model, images, settings.batch_size), seed)
    write_json(Path("reports/metrics.json"), metrics)


if __name__ == "__main__":
    run_stage(main)
