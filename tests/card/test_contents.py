"""What a card says: about every likelihood, prior and setting, and about images of which nothing is known."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.card.recorded import record
from vae.card.card import model_card
from vae.card.data_sets import PUBLISHED
from vae.card.limits import LEARNED_PRIORS
from vae.card.protocols import PROTOCOLS
from vae.model.likelihoods import LIKELIHOODS
from vae.model.priors import PRIORS
from vae.settings.prepare import NAMES


def card_of(folder: Path, **changes: Any) -> str:
    record(folder, **changes)
    return model_card(folder / "models/vae.keras", folder=folder)


def metadata(card: str) -> dict[str, Any]:
    _, text, _ = card.split("---\n", 2)
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_every_published_data_set_likelihood_and_prior_is_described() -> None:
    assert set(PUBLISHED) == set(NAMES)
    assert {"standard", *LEARNED_PRIORS} == set(PRIORS)
    assert set(PROTOCOLS) == (LIKELIHOODS.keys() - {"bernoulli"}) | {"grey"}  # grey levels as Bernoulli targets


def test_bits_per_dimension_are_those_of_probabilities(tmp_path: Path) -> None:
    shown = {name for name in LIKELIHOODS if "bits per dimension |" in card_of(tmp_path / name, likelihood=name)}
    assert shown == {"bernoulli", "binarized", "logistic_mixture"}


def test_the_values_are_those_of_the_results(tmp_path: Path) -> None:
    card = card_of(tmp_path)
    assert "| nats per image | grey levels as Bernoulli targets | images binarized at random |" in card
    assert "| −ELBO | 70.00 ± 0.50 | 80.00 ± 0.50 |" in card
    assert "| importance-weighted bound, k = 8 | 69.00 ± 0.50 | 79.00 ± 0.50 |" in card
    assert "| decoded samples of the prior | 0.2500 ± 0.0100 |" in card
    assert "| logistic regression, accuracy, % | 75.00 ± 1.00 | 75.00 ± 1.00 |" in card
    assert "| −ELBO, bits per dimension | 0.7000 ± 0.0010 | 0.8000 ± 0.0010 |" in card
    assert "This is not a likelihood of the grey images" in card
    assert "Trained for 2 of at most 9 epochs." in card
    assert "12 × 10 pixels, grey" in card
    assert [number for number in (12, 11, 10) if f"{number} images" in card or f"{number} test images" in card] == [
        12,
        11,
        10,
    ]
    assert "DVC's checksum of the raw images: `0123.dir`." in card


def test_own_images_are_of_unknown_licence_and_their_path_is_never_shown(tmp_path: Path) -> None:
    weights = {"initial_weights": "/home/alice/start.keras"}
    card = card_of(tmp_path, changes={"train": weights}, class_names=["a|b", "*c*", "<d>", "e\nf"])
    assert metadata(card)["license"] == "unknown"
    assert "datasets" not in metadata(card)
    assert not [word for word in ("alice", "secret", "/home", str(tmp_path)) if word in card]
    assert "Classes: a\\|b, \\*c\\*, \\<d\\>, e f." in card
    assert "| `prepare.dataset` | own images |" in card
    assert "It started from the weights of another checkpoint" in card
    named = model_card(tmp_path / "models/vae.keras", license_id="cc-by-4.0", data="Leaves of *trees*", folder=tmp_path)
    assert "# A variational autoencoder of Leaves of \\*trees\\*\n" in named
    assert metadata(named)["license"] == "cc-by-4.0"


@pytest.mark.parametrize(("name", "license_id"), [("mnist", "cc-by-sa-3.0"), ("kmnist", "cc-by-sa-4.0")])
def test_a_published_data_set_gives_the_model_its_licence(name: str, license_id: str, tmp_path: Path) -> None:
    card = card_of(tmp_path, changes={"prepare": {"dataset": name}})
    assert metadata(card)["license"] == license_id
    assert metadata(card).get("datasets") == (["ylecun/mnist"] if name == "mnist" else None)
    assert "may show training images" not in card


def test_without_labels_there_are_no_probes_and_the_reason_is_given(tmp_path: Path) -> None:
    card = card_of(tmp_path, labelled=False)
    assert "accuracy" not in card
    assert "Fréchet distances between" not in card
    assert card.count("They are left out: the images have no labels.") == 2
    assert "The images have no labels." in card


@pytest.mark.parametrize(
    ("changes", "model", "sentence"),
    [
        ({"prepare": {"share": 0.05}}, {}, "It was trained on 0.05 of the images"),
        ({"train": {"epsilon_std": 1e-4}}, {}, "standard deviation 0.0001 instead of 1"),
        ({"train": {"beta": 4.0}}, {}, "Training weighted the KL by 4."),
        ({"train": {"free_bits": 0.5}}, {}, "did not penalize the first 0.5 nats"),
        ({"train": {"objective": "iwae", "samples": 5}}, {}, "with 5 samples (`iwae`)"),
        ({"train": {"beta_warmup": 10}}, {}, "lowest validation loss after the warm-up"),
        ({}, {"prior": "flow"}, "The prior is learned: a RealNVP flow."),
        ({}, {"precision": "mixed_bfloat16"}, "compute in bfloat16"),
        ({}, {"latent_dim": 5}, "collapsed to the prior in 2 of 5 latent dimensions"),
        ({}, {"conditional": True}, "need the class of each image"),
        ({}, {"likelihood": "logistic_mixture"}, "These are probabilities of the 256 levels."),
        ({}, {"likelihood": "gaussian"}, "A density is not a probability"),
        ({}, {"image_fit": "crop"}, "images of another shape by `crop`"),
    ],
)
def test_what_a_reader_must_know_is_said_only_where_it_holds(
    changes: dict[str, Any], model: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    assert sentence in card_of(tmp_path / "with", changes=changes, **model)
    assert sentence not in card_of(tmp_path / "without")
