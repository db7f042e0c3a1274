"""Stage `evaluate`: bound the likelihood of the test images and measure what the latent dimensions carry."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.data.binarization import SEED, binarized, entropy_nats
from vae.data.splits import Split, load_splits
from vae.evaluation import posterior
from vae.evaluation.embedding import encode
from vae.evaluation.likelihood_bounds import Bounds, bounds, in_bits, summarize
from vae.io.arrays import save_arrays
from vae.io.tables import write_json, write_metrics
from vae.model.checkpoint import load_model
from vae.model.likelihoods.bernoulli import Bernoulli
from vae.model.priors.standard import StandardNormal
from vae.model.vae import VAE
from vae.settings.evaluate import Evaluate
from vae.settings.loader import load_settings
from vae.stage import run_stage
from vae.training.resume import StateFile, fingerprint, state_folder, unfinished

LINE = (
    "{}, nats per image: loss {loss:.2f} = reconstruction {reconstruction:.2f} + KL {kl:.2f}, "
    "importance-weighted {importance_weighted:.2f}"
)
BITS_LINE = "{}, bits per dimension: loss {loss:.4f}, importance-weighted {importance_weighted:.4f}"
METRICS = {"loss": "loss", "reconstruction": "reconstruction", "kl": "kl", "importance_weighted": "iw_bound"}
"""The results of each protocol that are metrics, and their names there, which are narrow columns."""
GREY, BINARIZED = "grey", "binarized"
MNIST, NATS_ONLY = (28, 28, 1), (GREY, BINARIZED)
"""The shape of images, and the protocols, whose bounds are published in nats per image only."""
GIVEN_LABEL = "given_label_"
"""The beginning of the names of a conditional model's metrics, which bound -log p(x|y) instead of -log p(x)."""


def main() -> None:
    seed, settings = load_settings(Evaluate)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    (test,) = load_splits(Path("data/prepared"), ["test"], image_shape=model.image_shape)
    entropy = entropy_nats(test.images) if isinstance(model.likelihood, Bernoulli) else None
    shown = protocols(model, test)
    seen = next(iter(shown.values()))
    count = len(test.images)
    print(f"{settings.samples} samples of z for each of {count:,} test images, {' and '.join(shown)}", flush=True)
    identity = fingerprint_of(model, shown, settings, seed)
    # The state of the bounds, which take longest, stays until all results are written.
    with unfinished(state_folder("data/evaluation/unfinished"), identity) as state:
        found = all_bounds(model, shown, settings, seed, state)
        seen_bounds = next(iter(found.values()))
        results = {protocol: report(protocol, parts, model, settings, entropy) for protocol, parts in found.items()}
        results["posterior"] = summarize_posterior(model, seen, seen_bounds.kl, settings, seed)
        save_arrays(Path("data/evaluation/test.npz"), **seen_bounds._asdict())
        write_json(Path("reports/details/evaluate.json"), results)
        write_all_metrics(model, results)


def protocols(model: VAE, test: Split) -> dict[str, Split]:
    """Return the test images in the forms whose likelihood is bounded, by name; the first is what the model sees.

    Grey levels as Bernoulli targets and binarized images are two forms. Any other likelihood has one, with its name.
    """
    name = model.get_config()["likelihood"]
    if model.likelihood.binarizes:
        return {BINARIZED: binarized(test)}
    return {GREY: test, BINARIZED: binarized(test)} if name == "bernoulli" else {name: test}


def fingerprint_of(model: VAE, shown: dict[str, Split], settings: Evaluate, seed: int) -> str:
    """Return the fingerprint of the bounds: of the model, the images of all protocols, and the settings."""
    images = [split.images for split in shown.values()]
    labels = [split.known_labels for split in shown.values()] if model.conditional else []
    return fingerprint({"seed": seed, "evaluate": dict(settings)}, *images, *labels, *model.get_weights())


def all_bounds(
    model: VAE, shown: dict[str, Split], settings: Evaluate, seed: int, state: StateFile
) -> dict[str, Bounds]:
    """Return the bounds of each protocol's images. They resume from files in the folder of the state."""
    return {
        protocol: bounds(
            model,
            split.images,
            samples=settings.samples,
            batch_size=settings.batch_size,
            seed=seed,
            title=protocol,
            state=StateFile(state.path.with_name(f"{protocol}.npz"), state.fingerprint),
            labels=split.known_labels if model.conditional else None,
        )
        for protocol, split in shown.items()
    }


def report(
    protocol: str, parts: Bounds, model: VAE, settings: Evaluate, entropy: NDArray[np.float64] | None
) -> dict[str, Any]:
    """Print and return the means of a protocol's bounds in nats, and in bits unless only nats are published."""
    results: dict[str, Any] = {**summarize(parts, entropy), "images": len(parts.kl), "samples": settings.samples}
    print(LINE.format(protocol, **results), flush=True)
    if not (model.likelihood.is_density or (protocol in NATS_ONLY and model.image_shape == MNIST)):
        results |= in_bits(results, model.image_shape)
    if bits := results.get("bits_per_dimension"):
        print(BITS_LINE.format(protocol, **bits), flush=True)
    return results | ({"seed": SEED} if protocol == BINARIZED else {})


def summarize_posterior(
    model: VAE, seen: Split, kl: NDArray[np.float64], settings: Evaluate, seed: int
) -> dict[str, Any]:
    """Return what the latent dimensions carry about the images that the model sees, whose KL to the prior is `kl`."""
    labels = seen.known_labels if model.conditional else None
    z_mean, z_log_var = encode(model, seen.images, settings.batch_size, labels=labels)
    return posterior.summarize(z_mean, z_log_var, seed, None if isinstance(model.prior, StandardNormal) else kl)


def write_all_metrics(model: VAE, results: dict[str, dict[str, Any]]) -> None:
    """Write the metrics: on binarized images to one file, and all others to another."""
    prefix = (GIVEN_LABEL if model.conditional else "") + model.likelihood.metric_prefix
    named = {name: metrics(part, prefix) for name, part in results.items() if name != "posterior"}
    apart = named.pop(BINARIZED, {})
    active = {"active_units": results["posterior"]["active_units"]}
    write_metrics(Path("reports/metrics.json"), {k: v for part in named.values() for k, v in part.items()} | active)
    write_metrics(Path("reports/binarized.json"), apart)


def metrics(results: dict[str, Any], prefix: str) -> dict[str, float]:
    """Return the metrics of a protocol, with the loss in bits per dimension where the results have it."""
    bits = {"bpd": results["bits_per_dimension"]["loss"]} if "bits_per_dimension" in results else {}
    named = {metric: results[name] for name, metric in METRICS.items()} | bits
    return {f"{prefix}{metric}": value for metric, value in named.items()}


if __name__ == "__main__":
    run_stage(main)
