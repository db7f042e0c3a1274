"""Stage `evaluate`: bound the likelihood of the test images and measure what the latent dimensions carry."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path
from typing import Any

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
APART = (BINARIZED, "posterior")
"""Results whose metrics are not in `reports/metrics.json`."""


def main() -> None:
    seed, settings = load_settings(Evaluate)
    model = load_model(Path("models/vae.keras"), VAE, stage="train")
    (test,) = load_splits(Path("data/prepared"), ["test"], image_shape=model.image_shape)
    entropy = entropy_nats(test.images) if isinstance(model.likelihood, Bernoulli) else None
    shown = protocols(model, test)
    count = len(test.images)
    print(f"{settings.samples} samples of z for each of {count:,} test images, {' and '.join(shown)}", flush=True)
    results: dict[str, dict[str, Any]] = {}
    found = all_bounds(model, shown, settings, seed)
    for protocol, parts in found.items():
        results[protocol] = summarize(parts, entropy) | {"images": count, "samples": settings.samples}
        print(LINE.format(protocol, **results[protocol]), flush=True)
        results[protocol] |= in_bits(results[protocol], model.image_shape)
        if bits := results[protocol].get("bits_per_dimension"):
            print(BITS_LINE.format(protocol, **bits), flush=True)
    if BINARIZED in results:
        results[BINARIZED]["seed"] = SEED
    split, parts = next(zip(shown.values(), found.values(), strict=True))
    save_arrays(Path("data/evaluation/test.npz"), **parts._asdict())
    other_kl = None if isinstance(model.prior, StandardNormal) else parts.kl
    labels = split.known_labels if model.conditional else None
    z_mean, z_log_var = encode(model, split.images, settings.batch_size, labels=labels)
    results["posterior"] = posterior.summarize(z_mean, z_log_var, seed, other_kl)
    write_json(Path("reports/details/evaluate.json"), results)

    active = {"active_units": results["posterior"]["active_units"]}
    main_metrics = [metrics(results[name], model.likelihood.metric_prefix) for name in results if name not in APART]
    write_metrics(Path("reports/metrics.json"), {k: v for part in main_metrics for k, v in part.items()} | active)
    write_metrics(Path("reports/binarized.json"), metrics(results[BINARIZED]) if BINARIZED in results else {})


def all_bounds(model: VAE, shown: dict[str, Split], settings: Evaluate, seed: int) -> dict[str, Bounds]:
    """Return the bounds of each protocol's images. A killed stage resumes from what it saved of them."""
    of_all = {"seed": seed, "evaluate": dict(settings)}
    images = [split.images for split in shown.values()]
    labels = [split.known_labels for split in shown.values()] if model.conditional else []
    identity = fingerprint(of_all, *images, *labels, *model.get_weights())
    with unfinished(state_folder("data/evaluation/unfinished"), identity) as state:
        return {
            protocol: bounds(
                model,
                split.images,
                samples=settings.samples,
                batch_size=settings.batch_size,
                seed=seed,
                title=protocol,
                state=StateFile(state.path.with_name(f"{protocol}.npz"), identity),
                labels=split.known_labels if model.conditional else None,
            )
            for protocol, split in shown.items()
        }


def protocols(model: VAE, test: Split) -> dict[str, Split]:
    """Return the test images in the forms whose likelihood is bounded, by name; the first is what the model sees.

    Grey levels as Bernoulli targets and binarized images are two forms. Any other likelihood has one, with its name.
    """
    name = model.get_config()["likelihood"]
    if model.likelihood.binarizes:
        return {BINARIZED: binarized(test)}
    return {GREY: test, BINARIZED: binarized(test)} if name == "bernoulli" else {name: test}


def metrics(results: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the metrics of a protocol, with the loss in bits per dimension where the results have it."""
    bits = {"bpd": results["bits_per_dimension"]["loss"]} if "bits_per_dimension" in results else {}
    named = {metric: results[name] for name, metric in METRICS.items()} | bits
    return {f"{prefix}{metric}": value for metric, value in named.items()}


if __name__ == "__main__":
    run_stage(main)
