"""Stage `classify`: how well the images are told apart without the VAE, to `reports/classification.json`.

By a convolutional classifier, which is kept in `models/classifier` for the stage `score`, and by the probes that
`embed` applies to the latent vectors: of the pixels and of their principal components.
"""

from pathlib import Path
from typing import Any

from vae.accuracy import accuracy
from vae.errors import run_stage
from vae.files import write_json
from vae.nn.classifier import build_classifier, predict, save_classifier, train_classifier
from vae.probes import principal_components, probe, summary
from vae.settings import Classify, load_settings
from vae.splits import SPLITS, load_split


def main() -> None:
    settings, seed = load_settings(Classify)
    train, validation, test = (load_split(Path(f"data/prepared/{name}.npz")) for name in SPLITS)
    model = build_classifier(train.images.shape[1:], len(train.class_names), seed)
    train_classifier(
        model,
        train,
        validation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
    )
    save_classifier(model, Path("models/classifier"))
    right = accuracy(predict(model, test.images, settings.batch_size), test.labels)
    print(f"classifier, test images: {right['accuracy']:.2%} ± {right['standard_error']:.2%} are right", flush=True)
    figures: dict[str, Any] = {"classifier": right}
    components = principal_components(train.images, test.images, seed)
    for name, points in {"pixels": (train.images, test.images), "principal_components": components}.items():
        figures[name] = probe(points[0], train.labels, points[1], test.labels, seed=seed, title=name)
        print(f"{name}, test images: {summary(figures[name])}", flush=True)
    write_json(Path("reports/classification.json"), figures)


if __name__ == "__main__":
    run_stage(main)
