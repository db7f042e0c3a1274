"""Stage `classify`: train a classifier of the images and measure its accuracy on the test images."""

import vae  # noqa: F401, first: Ctrl-C during the other imports, which take seconds, then prints no traceback

# isort: split

from pathlib import Path

from vae.data.splits import load_splits, missing_classes
from vae.evaluation.accuracy import accuracy
from vae.evaluation.classifier import predict, train_classifier
from vae.evaluation.left_out import leave_out
from vae.io.tables import write_json, write_metrics
from vae.io.whole import whole
from vae.model.checkpoint import save_model
from vae.settings.classify import Classify
from vae.settings.loader import load_settings
from vae.stage import run_stage


def main() -> None:
    seed, settings = load_settings(Classify)
    train, validation, test = load_splits(Path("data/prepared"))
    if reason := missing_classes(train):
        left_out = leave_out(
            "The classifier is", reason, Path("reports/details/classify.json"), Path("reports/classifier.json")
        )
        with whole(Path("models/classifier.keras")) as part:  # DVC requires the file; `score` does not open it then
            part.write_text(f"{left_out}\n", encoding="utf-8")
        return
    model = train_classifier(
        train,
        validation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=seed,
    )
    save_model(model, Path("models/classifier.keras"))
    result = accuracy(predict(model, test.images, settings.batch_size), test.known_labels)
    write_json(Path("reports/details/classify.json"), {"classifier": result})
    write_metrics(Path("reports/classifier.json"), {"accuracy": result["accuracy"]})
    print(f"classifier, test images: accuracy {result['accuracy']:.2%} +- {result['standard_error']:.2%}")


if __name__ == "__main__":
    run_stage(main)
