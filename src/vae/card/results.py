"""The section `Results`: everything that was measured, with what it means."""

from typing import Any

from vae.card.protocols import BINARIZED, GREY, PROTOCOLS
from vae.card.subject import Subject, table, with_error

BOUNDS = {
    "loss": "−ELBO",
    "reconstruction": "its reconstruction term",
    "kl": "its KL term",
    "importance_weighted": "importance-weighted bound",
}
PROBES = {
    "logistic_regression": "logistic regression, accuracy, %",
    "knn": "5 nearest neighbours, accuracy, %",
    "nmi": "K-means, normalized mutual information",
    "ari": "K-means, adjusted Rand index",
}
DISTANCES = {
    "prior": "decoded samples of the prior",
    "mixture": "decoded samples of Gaussians fitted to the latents of the training images",
    "reconstruction": "reconstructed test images",
    "train": "training images, on which the classifier was trained",
}


def results(subject: Subject) -> str:
    """Return the section."""
    intro = (
        "All figures are of the test images, which neither training nor the choice of the epoch used, and of one run "
        f"with the seed {subject.run.seed}. The number after ± is a standard error: over the test images; over the "
        "starts for K-means; by the bootstrap for Fréchet distances. It does not include what another seed would "
        "change."
    )
    return "\n\n".join(["## Results", intro, _likelihood(subject), _latents(subject), _samples(subject)])


def _likelihood(subject: Subject) -> str:
    samples = subject.run.params["evaluate"]["samples"]
    given = ", given their labels" if subject.conditional else ""
    parts = subject.bounds
    names = BOUNDS | {"importance_weighted": f"{BOUNDS['importance_weighted']}, k = {samples}"}
    rows = [(text, *(with_error(part, name) for part in parts.values())) for name, text in names.items()]
    if any("entropy" in part for part in parts.values()):
        rows.append(("entropy, below which no model can be", *(_entropy(part) for part in parts.values())))
    if any("bits_per_dimension" in part for part in parts.values()):
        rows.append(("−ELBO, bits per dimension", *(_bits(part) for part in parts.values())))
    meanings = [f"- **{PROTOCOLS[name].title}**: {_meaning(name, subject)}" for name in parts]
    return "\n\n".join(
        [
            "### Likelihood",
            f"Upper bounds on the negative log-likelihood of {subject.test_images:,} images{given}: lower is better. "
            "Figures of two columns, or of models with different likelihoods, cannot be compared.",
            table(("nats per image", *(PROTOCOLS[name].title for name in parts)), rows),
            "\n".join(meanings),
        ]
    )


def _entropy(part: dict[str, Any]) -> str:
    return f"{part['entropy']:.2f}" if "entropy" in part else "–"


def _bits(part: dict[str, Any]) -> str:
    return with_error(part["bits_per_dimension"], "loss", 4) if "bits_per_dimension" in part else "–"


def _meaning(protocol: str, subject: Subject) -> str:
    text = PROTOCOLS[protocol].meaning
    if protocol == BINARIZED and subject.model.config["likelihood"] == "bernoulli":
        text += " The model was trained on grey levels: its encoder has never seen binarized images."
    if protocol in (GREY, BINARIZED) and "bits_per_dimension" in subject.bounds[protocol]:
        text += " Its bits are bits of binarized images: do not compare them with bits per dimension of 8-bit images."
    return text


def _latents(subject: Subject) -> str:
    posterior = subject.run.results["evaluate"]["posterior"]
    dimensions = subject.model.config["latent_dim"]
    active = f"{posterior['active_units']} of {dimensions} latent dimensions are active: they vary with the image."
    if left_out := subject.left_out("embed"):
        return f"### Latent vectors\n\n{active} {left_out}"
    columns = {f"latent means ({dimensions})": subject.run.results["embed"]["latents"]}
    if not subject.left_out("baseline"):
        columns["pixels"] = subject.run.results["baseline"]["pixels"]
    rows = [(text, *(_probe(found, name) for found in columns.values())) for name, text in PROBES.items()]
    images = subject.run.results["embed"]["latents"]["logistic_regression"]["images"]
    note = (
        "The table shows what they say about the classes, next to the pixels. The classifiers are fitted on training "
        f"images, and measured on {images:,} test images."
    )
    return "\n\n".join(["### Latent vectors", f"{active} {note}", table(("", *columns), rows)])


def _probe(found: dict[str, Any], name: str) -> str:
    part = found[name]
    value, factor, decimals = ("accuracy", 100, 2) if "accuracy" in part else ("mean", 1, 3)
    return f"{factor * part[value]:.{decimals}f} ± {factor * part['standard_error']:.{decimals}f}"


def _samples(subject: Subject) -> str:
    if left_out := subject.left_out("score") or subject.left_out("classify"):
        return f"### Samples\n\n{left_out}"
    images, distances = (subject.run.results["score"][name] for name in ("images", "frechet"))
    accuracy = subject.run.results["classify"]["classifier"]["accuracy"]
    rows = [(text, with_error(distances, name, 4)) for name, text in DISTANCES.items()]
    note = (
        f"Fréchet distances between {images:,} test images and as many others, in the features of a classifier of "
        f"these classes whose test accuracy is {100 * accuracy:.2f}%. The unit is the total variance of the "
        "features. This is not the FID: compare it only for the same images and the same classifier."
    )
    return "\n\n".join(["### Samples", note, table(("between the test images and", "Fréchet distance"), rows)])
