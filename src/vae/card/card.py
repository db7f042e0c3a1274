"""The card as a whole."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from vae.card.data_sets import PUBLISHED, data_set
from vae.card.limits import limits
from vae.card.model_file import MODEL, read_model_file
from vae.card.results import results
from vae.card.run import read_run
from vae.card.subject import Subject, plain, shown_value, table
from vae.errors import InputError
from vae.io.whole import whole
from vae.settings.train import RANDOM_WEIGHTS

SHOWN_CLASSES = 20
"""The most classes that are named."""
TITLE_LENGTH = 100
TAGS = ("vae", "variational-autoencoder", "generative-model", "tensorflow", "dvc")


def model_card(
    model: Path = MODEL, *, license_id: str | None = None, data: str | None = None, folder: Path = Path()
) -> str:
    """Return the card of the pipeline's model: Markdown, with the YAML that model hubs read on top.

    Args:
        model: the file of the model.
        license_id: the identifier of the model's licence on hubs, for example `mit`; None takes the licence of the
            images, since a model contains what it learned from them.
        data: what to call a user's own images.
        folder: the checkout, with `dvc.lock` and `reports/`.

    Raises:
        InputError: the model or its results are missing or damaged, or not of one run, or a text is not what it must
            be.
    """
    file = read_model_file(model)
    run = read_run(folder, file.md5)
    dataset = run.params["prepare"]["dataset"]
    if data is not None and dataset in PUBLISHED:
        raise InputError(
            f"the images are {PUBLISHED[dataset].title}, a published data set, which --data cannot rename."
        )
    if data is not None and not (data.isprintable() and 0 < len(data.strip()) <= TITLE_LENGTH):
        raise InputError(f"the name of the images is {data!r}, but must be one line of 1 to {TITLE_LENGTH} characters.")
    images = data_set(dataset, data)
    if license_id is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", license_id):
        raise InputError(
            f"the licence is {license_id!r}, but must be an identifier such as mit, apache-2.0 or cc-by-4.0."
        )
    return render(Subject(file, run, images, license_id or images.license))


def write_card(card: Callable[[], str], output: str, *, force: bool) -> None:
    """Write a card to a file, whole or not at all, or to standard output if it is `-`.

    Args:
        card: returns the card. It is called after the output has been checked.
        output: where to.
        force: whether an existing file may be overwritten.

    Raises:
        InputError: the file exists, or as in `card`.
        OSError: as in `vae.io.whole.whole`.
    """
    path = Path(output)
    if output != "-" and path.exists() and not (force and path.is_file()):
        raise InputError(f"{output} exists already{'; --force overwrites it' if path.is_file() else ''}.")
    content = card().encode()  # in any locale
    if output == "-":
        sys.stdout.buffer.write(content)
        return
    with whole(path) as part:
        part.write_bytes(content)


def render(subject: Subject) -> str:
    """Return the card of a model."""
    title = plain(subject.data.title)
    parts = [
        _front_matter(subject),
        f"# A variational autoencoder of {title}",
        "`vae card` wrote this card from the model's file and from the results of the run that made it.",
        _model(subject),
        _data(subject),
        _parameters(subject),
        results(subject),
        limits(subject),
        _license(subject),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(subject: Subject) -> str:
    """Return the YAML that model hubs read, with its fences: licence, library, tags and data set."""
    content: dict[str, Any] = {
        "license": subject.license,
        "library_name": "keras",
        "tags": [*TAGS, *["conditional"] * subject.conditional],
    }
    if subject.data.hub_id:
        content["datasets"] = [subject.data.hub_id]
    return f"---\n{yaml.safe_dump(content, sort_keys=False)}---"


def _model(subject: Subject) -> str:
    config = subject.model.config
    rows = [
        ("architecture", f"`{config['architecture']}`"),
        ("images", subject.size),
        ("latent dimensions", config["latent_dim"]),
        ("likelihood p(x\\|z)", f"`{config['likelihood']}`"),
        ("prior p(z)", f"`{config['prior']}`"),
        ("conditional", "yes: it sees the class" if subject.conditional else "no"),
        ("weights", f"{subject.model.parameters:,}"),
        ("saved by", f"Keras {subject.model.keras}"),
        ("MD5 of `vae.keras`", f"`{subject.model.md5}`"),
    ]
    use = (
        "It encodes images to latent vectors, decodes these to images, draws new images, and scores how little it "
        "expects an image. With the package of this project:\n\n"
        '```python\nimport vae\n\nmodel = vae.load("vae.keras")\nimages = model.sample(16'
        f"{', labels=0' if subject.conditional else ''})  # values in [0, 1]\n```"
    )
    return "\n\n".join(["## Model", use, table(("", ""), rows)])


def _data(subject: Subject) -> str:
    prepare, config = subject.run.params["prepare"], subject.model.config
    size = prepare["validation_size"]
    held = f"{size:.4g} of the training images were" if size < 1 else f"{size:,.0f} training images were"
    names = [plain(name) for name in config["class_names"]]
    more = f" and {len(names) - SHOWN_CLASSES:,} others" if len(names) > SHOWN_CLASSES else ""
    points = [
        subject.data.about,
        f"Prepared as {subject.size}, with values from 0 to 1"
        + (f"; images of another shape by `{config['image_fit']}`" if config.get("image_fit", "pad") != "pad" else "")
        + ".",
        f"{held} held out for early stopping, and {subject.test_images:,} images are for the test.",
        f"Classes: {', '.join(names[:SHOWN_CLASSES])}{more}." if names else "The images have no labels.",
        f"DVC's checksum of the raw images: `{subject.run.data_md5}`.",
    ]
    return "## Data\n\n" + "\n".join(f"- {point}" for point in points)


def _parameters(subject: Subject) -> str:
    train = subject.run.params["train"]
    after = " after the warm-up of the KL" if train["beta_warmup"] else ""
    start = ""
    if train["initial_weights"] != RANDOM_WEIGHTS:
        start = " It started from the weights of another checkpoint, whose data this card does not know."
    text = (
        f"Trained for {subject.run.epochs} of at most {train['epochs']} epochs. The weights are from the epoch "
        f"with the lowest validation loss{after}.{start}"
    )
    rows = [
        (f"`{section}.{key}`", shown_value(section, key, value))
        for section in ("prepare", "model", "train")
        for key, value in subject.run.params[section].items()
    ]
    return "\n\n".join(
        ["## Parameters", text, table(("parameter", "value"), [("`seed`", f"`{subject.run.seed}`"), *rows])]
    )


def _license(subject: Subject) -> str:
    known = "" if subject.license != "unknown" else " Name one before you publish the model."
    return (
        f"## Licence\n\nModel: `{subject.license}`.{known} Images: `{subject.data.license}`. A model contains what it "
        "learned from its images: their licence and the rights of the people in them may bind those who share it."
    )
