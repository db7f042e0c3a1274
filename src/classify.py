"""Stage `classify`: a classifier of images to `models/classifier`, its accuracy to `reports/classification.json`."""

from pathlib import Path

from vae.accuracy import accuracy
from vae.errors import run_stage
from vae.files import write_json
from vae.nn.classifier import predict, save_classifier, train_classifier
from vae.settings import Classify, load_settings
from vae.splits import SPLITS, load_split


def main() -> None:
    settings, seed = load_settings(Classify)
    train, validation, test = (load_split(Path(f"data/prepared/{name}.npz")) for name in SPLITS)
    model = train_classifier(
        train,
        validation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=seed,
    )
    save_classifier(model, Path("models/classifier"))
    right = accuracy(predict(model, test.images, settings.batch_size), test.labels)
    write_json(Path("reports/classification.json"), {"classifier": right})
    print(f"classifier, test images: {right['accuracy']:.2%} +- {right['standard_error']:.2%} are right")


if __name__ == "__main__":
    run_stage(main)
