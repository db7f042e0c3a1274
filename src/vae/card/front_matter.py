"""The YAML at the top of a card, which model hubs read."""

from typing import Any

import yaml

from vae.card.protocols import PROTOCOLS, name_of
from vae.card.subject import Subject

TAGS = ("vae", "variational-autoencoder", "generative-model", "tensorflow", "dvc")


def front_matter(subject: Subject) -> str:
    """Return the YAML with its fences: licence, library, tags, data sets, and the main results as a `model-index`."""
    content: dict[str, Any] = {
        "license": subject.license,
        "library_name": "keras",
        "tags": [*TAGS, *["conditional"] * subject.conditional],
    }
    if subject.data.hub_id:
        content["datasets"] = [subject.data.hub_id]
    content["model-index"] = [{"name": "vae", "results": _results(subject)}]
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{text}---"


def _results(subject: Subject) -> list[dict[str, Any]]:
    """Return the results of each task, in the form that Papers with Code defined for hubs."""
    kind = "Class-conditional image generation" if subject.conditional else "Unconditional image generation"
    generation = {"type": "other" if subject.conditional else "unconditional-image-generation", "name": kind}
    found = [_of_task(subject, generation, [*_bounds(subject), *_frechet(subject)])]
    if not subject.left_out("embed"):
        task = {"type": "image-feature-extraction", "name": "Image feature extraction"}
        accuracy = subject.run.results["embed"]["latents"]["logistic_regression"]["accuracy"]
        name = "Accuracy of a logistic regression on the latent means"
        found.append(_of_task(subject, task, [{"type": "accuracy", "value": accuracy, "name": name}]))
    return found


def _of_task(subject: Subject, task: dict[str, str], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    kind = subject.data.hub_id or subject.data.title.lower().replace(" ", "-")
    return {"task": task, "dataset": {"type": kind, "name": subject.data.title, "split": "test"}, "metrics": metrics}


def _bounds(subject: Subject) -> list[dict[str, Any]]:
    """Return the bounds of each protocol, none of which shares its name with a bound of another unit."""
    metrics = []
    given = ", given the label" if subject.conditional else ""
    for protocol, part in subject.bounds.items():
        unit = PROTOCOLS[protocol].unit
        values = {
            "negative_elbo": (part["loss"], f"−ELBO, {unit}{given}"),
            "importance_weighted_bound": (
                part["importance_weighted"],
                f"Importance-weighted bound with {part['samples']} samples, {unit}{given}",
            ),
        }
        if bits := part.get("bits_per_dimension"):
            values["bits_per_dimension"] = (
                bits["loss"],
                f"−ELBO, bits per dimension, {PROTOCOLS[protocol].title}{given}",
            )
        metrics += [
            {"type": name_of(name, protocol, subject.conditional), "value": value, "name": text}
            for name, (value, text) in values.items()
        ]
    return metrics


def _frechet(subject: Subject) -> list[dict[str, Any]]:
    if subject.left_out("score"):
        return []
    value = subject.run.results["score"]["frechet"]["prior"]
    name = "Fréchet distance of samples of the prior, in the features of this project's classifier (not the FID)"
    return [{"type": "frechet_distance_of_own_classifier", "value": value, "name": name}]
