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
from vae.settings.prepare import NAMES


def card_of(folder: Path, **changes: Any) -> str:
    record(folder, **changes)
    return model_card(folder / "models/vae.keras", folder=folder)


def metadata(card: str) -> dict[str, Any]:
    _, text, _ = card.split("---\n", 2)
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def metrics(card: str) -> dict[str, tuple[float, str]]:
    """Return the value and the description of each metric, by its type."""
    (model,) = metadata(card)["model-index"]
    for result in model["results"]:
        assert result["task"]["type"]
        assert result["dataset"]["type"]
        assert result["dataset"]["name"]
    found = [metric for result in model["results"] for metric in result["metrics"]]
    by_type = {metric["type"]: (metric["value"], metric["name"]) for metric in found}
    assert len(by_type) == len(found)
    return by_type


def test_every_published_data_set_likelihood_and_prior_is_described() -> None:
    assert set(PUBLISHED) == set(NAMES)
    from vae.model.likelihoods import LIKELIHOODS
    from vae.model.priors import PRIORS

    assert {"standard", *LEARNED_PRIORS} == set(PRIORS)
    units = {"grey": LIKELIHOODS["bernoulli"]().unit}
    units |= {name: likelihood().unit for name, likelihood in LIKELIHOODS.items() if name != "bernoulli"}
    assert {name: protocol.unit for name, protocol in PROTOCOLS.items()} == units


def test_no_two_units_share_the_name_of_a_metric(tmp_path: Path) -> None:
    names: dict[str, set[str]] = {}
    for likelihood in ("bernoulli", *list(PROTOCOLS)[1:]):
        for conditional in (False, True):
            folder = tmp_path / f"{likelihood}{conditional}"
            card = card_of(folder, likelihood=likelihood, conditional=conditional, class_names=["a", "b"])
            for kind, (_, text) in metrics(card).items():
                names.setdefault(kind, set()).add(text)
    assert {kind: texts for kind, texts in names.items() if len(texts) > 1} == {}
    assert "bits_per_dimension_logistic_mixture" in names
    assert not [name for name in names if name.startswith("bits_per_dimension") and "gaussian" in name]


def test_the_values_are_those_of_the_results(tmp_path: Path) -> None:
    card = card_of(tmp_path)
    values = {kind: value for kind, (value, _) in metrics(card).items()}
    assert values == {
        "negative_elbo_grey": 70,
        "importance_weighted_bound_grey": 69,
        "bits_per_dimension_grey": 0.7,
        "negative_elbo_binarized": 80,
        "importance_weighted_bound_binarized": 79,
        "bits_per_dimension_binarized": 0.8,
        "frechet_distance_of_own_classifier": 0.25,
        "accuracy": 0.75,
    }
    assert "| −ELBO | 70.00 ± 0.50 | 80.00 ± 0.50 |" in card
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
    assert metadata(named)["model-index"][0]["results"][0]["dataset"]["name"] == "Leaves of *trees*"


@pytest.mark.parametrize(("name", "license_id"), [("mnist", "cc-by-sa-3.0"), ("kmnist", "cc-by-sa-4.0")])
def test_a_published_data_set_gives_the_model_its_licence(name: str, license_id: str, tmp_path: Path) -> None:
    card = card_of(tmp_path, changes={"prepare": {"dataset": name}})
    assert metadata(card)["license"] == license_id
    assert metadata(card).get("datasets") == (["ylecun/mnist"] if name == "mnist" else None)
    assert "may show training images" not in card


def test_without_labels_there_are_no_probes_and_the_reason_is_given(tmp_path: Path) -> None:
    card = card_of(tmp_path, labelled=False)
    assert {"accuracy", "frechet_distance_of_own_classifier"} & set(metrics(card)) == set()
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
