"""Stage `evaluate`: bound the likelihood of the test images and measure what the latent dimensions carry."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vae.data.splits import load_splits
from vae.evaluation import binarization, posterior
from vae.evaluation.embedding import encode
from vae.evaluation.likelihood_bounds import Change, bounds, in_bits, summarize
from vae.io.arrays import save_arrays
from vae.io.tables import write_json, write_metrics
from vae.model.checkpoint import load_model
from vae.model.vae import VAE
from vae.settings.evaluate import Evaluate
from vae.settings.loader import load_settings
from vae.stage import run_stage

LINE = (
    "{}, nats per image: loss {loss:.2f} = reconstruction {reconstruction:.2f} + KL {kl:.2f}, "
    "importance-weighted {importance_weighted:.2f}"
)
BITS_LINE = "{}, bits per dimension: loss {loss:.4f}, importance-weighted {importance_weighted:.4f}"
METRICS = {"loss": "loss", "reconstruction": "reconstruction", "kl": "kl", "importance_weighted": "iw_bound"}
"""The results of each protocol that are metrics, and their names there, which are narrow columns."""


def main() -> None:
    seed, settings = load_settings(Evaluate)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    (test,) = load_splits(Path("data/prepared"), ["test"], image_shape=model.image_shape)
    images = test.images
    entropy = binarization.entropy_nats(images)
    print(f"{settings.samples} samples of z for each of {len(images):,} test images, grey and binarized", flush=True)
    results: dict[str, dict[str, Any]] = {}
    binarize = partial(binarization.binarize, rng=np.random.default_rng(binarization.SEED))
    protocols: dict[str, Change] = {"grey": np.asarray, "binarized": binarize}
    for protocol, change in protocols.items():
        parts = bounds(
            model,
            images,
            samples=settings.samples,
            batch_size=settings.batch_size,
            seed=seed,
            title=protocol,
            change=change,
        )
        results[protocol] = summarize(parts, entropy) | {"images": len(images), "samples": settings.samples}
        print(LINE.format(protocol, **results[protocol]), flush=True)
        results[protocol] |= in_bits(results[protocol], model.image_shape)
        if bits := results[protocol].get("bits_per_dimension"):
            print(BITS_LINE.format(protocol, **bits), flush=True)
        if protocol == "grey":
            save_arrays(Path("data/evaluation/test.npz"), **parts._asdict())
    results["binarized"]["seed"] = binarization.SEED
    results["posterior"] = posterior.summarize(*encode(model, images, settings.batch_size), seed)
    write_json(Path("reports/details/evaluate.json"), results)

    active = {"active_units": results["posterior"]["active_units"]}
    write_metrics(Path("reports/metrics.json"), metrics(results["grey"]) | active)
    write_metrics(Path("reports/binarized.json"), metrics(results["binarized"]))


def metrics(results: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a protocol, with the loss in bits per dimension where the results have it."""
    bits = {"bpd": results["bits_per_dimension"]["loss"]} if "bits_per_dimension" in results else {}
    return {metric: results[name] for name, metric in METRICS.items()} | bits


if __name__ == "__main__":
    run_stage(main)
