"""Stage `baseline`: probe pixels and their principal components for the classes, to compare with the latent vectors."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

from vae.data.splits import load_splits, missing_classes
from vae.evaluation.left_out import leave_out
from vae.evaluation.probes import parts_to_probe, principal_components, probe, summary
from vae.io.tables import write_json, write_metrics
from vae.settings.baseline import Baseline
from vae.settings.loader import load_settings
from vae.stage import run_stage


def main() -> None:
    seed, settings = load_settings(Baseline)
    train, test = load_splits(Path("data/prepared"), ("train", "test"))
    if not (reason := missing_classes(train)):
        train, test, numbers = parts_to_probe(train, test, seed, "pixels")
        reason = missing_classes(train)  # of the part
    if reason:
        leave_out(
            "The probes of the pixels are", reason, Path("reports/details/baseline.json"), Path("reports/pixels.json")
        )
        return
    pixels = train.images[:], test.images[:]
    components = principal_components(*pixels, settings.principal_components, seed)
    results = {}
    for name, points in {"pixels": pixels, "principal_components": components}.items():
        print(f"{name}: fitting probes to {len(points[0]):,} training images", flush=True)
        probed = probe(points[0], train.known_labels, points[1], test.known_labels, seed=seed, title=name)
        print(f"{name}, test images: {summary(probed)}", flush=True)
        results[name] = probed | numbers
    write_json(Path("reports/details/baseline.json"), results)
    write_metrics(Path("reports/pixels.json"), {"accuracy": results["pixels"]["logistic_regression"]["accuracy"]})


if __name__ == "__main__":
    run_stage(main)
