"""Files of real models, and the committed card, docs/model-card.md, which is of the committed run."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import pytest
import yaml

from tests.trained import trained
from vae.card.card import render
from vae.card.data_sets import data_set
from vae.card.model_file import read_model_file
from vae.card.run import read_run
from vae.card.subject import Subject
from vae.data.catalogue import SOURCES
from vae.model.checkpoint import save_model
from vae.model.vae import VAE


@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"prior": "flow", "likelihood": "gaussian"}])
def test_the_file_of_a_model_says_what_it_is(options: dict[str, Any], tmp_path: Path) -> None:
    model, path = trained(**options), tmp_path / "vae.keras"
    save_model(model, path)
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    assert read_model_file(path) == (model.get_config(), model.count_params(), keras.__version__, md5)


def untrained(params: dict[str, dict[str, Any]], path: Path) -> None:
    """Save a model like the committed run's, which is not in git: a card shows no weights."""
    classes = SOURCES[params["prepare"]["dataset"]].class_names
    train = {name: params["train"][name] for name in ("objective", "epsilon_std", "precision")}
    save_model(VAE((28, 28, 1), **params["model"], **train, class_names=classes), path)


def test_the_committed_card_is_of_the_committed_run(root: Path, tmp_path: Path) -> None:
    lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    (md5,) = (out["md5"] for out in lock["stages"]["train"]["outs"] if out["path"] == "models/vae.keras")
    run = read_run(root, md5)
    untrained(run.params, tmp_path / "vae.keras")
    images = data_set(run.params["prepare"]["dataset"])
    model = read_model_file(tmp_path / "vae.keras")._replace(md5=md5)
    card = render(Subject(model, run, images, images.license))
    assert (root / "docs/model-card.md").read_text(encoding="utf-8") == card, "run `make card`"
