"""Stage `evaluate`: the test loss and its terms to `reports/metrics.json`, image by image to `data/evaluation/`."""

from pathlib import Path

from vae.errors import run_stage
from vae.files import write_json
from vae.nn.checkpoint import load_checkpoint
from vae.nn.evaluation import elbo_terms, summarize
from vae.settings import Evaluate, load_settings
from vae.splits import load_split, save_arrays


def main() -> None:
    settings, seed = load_settings(Evaluate)
    model = load_checkpoint(Path("models/vae"))
    test = load_split(Path("data/prepared/test.npz"))
    print(f"{settings.samples} samples of z for each of {len(test.images):,} test images", flush=True)
    terms = elbo_terms(model, test.images, samples=settings.samples, batch_size=settings.batch_size, seed=seed)
    save_arrays(Path("data/evaluation/test.npz"), **terms._asdict())
    metrics = summarize(terms, settings.samples)
    write_json(Path("reports/metrics.json"), metrics)
    figures = "loss {loss:.2f} = reconstruction {reconstruction:.2f} + KL {kl:.2f}".format_map(metrics)
    print(f"test, nats per image: {figures}")


if __name__ == "__main__":
    run_stage(main)
