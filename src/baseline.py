"""Stage `baseline`: what `embed` measures of the latent means, measured of the pixels, to `reports/baselines.json`.

Of the pixels as they are, and of as many principal components as the VAE of the post has latent dimensions.
"""

from pathlib import Path

from vae.errors import run_stage
from vae.files import write_json
from vae.probes import principal_components, probe, summary
from vae.settings import Baseline, load_settings
from vae.splits import load_split


def main() -> None:
    settings, seed = load_settings(Baseline)
    train, test = (load_split(Path(f"data/prepared/{name}.npz")) for name in ("train", "test"))
    components = principal_components(train.images, test.images, settings.principal_components, seed)
    figures = {}
    for name, points in {"pixels": (train.images, test.images), "principal_components": components}.items():
        print(f"{name}: {len(train.labels):,} training images", flush=True)
        figures[name] = probe(points[0], train.labels, points[1], test.labels, seed=seed, title=name)
        print(f"{name}, test images: {summary(figures[name])}", flush=True)
    write_json(Path("reports/baselines.json"), figures)


if __name__ == "__main__":
    run_stage(main)
