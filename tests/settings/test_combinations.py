"""Settings that do not fit together, which the command refuses before DVC removes anything."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vae.errors import InputError
from vae.settings.__main__ import main

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"model.prior": "flow", "model.latent_dim": 1},
        "model.prior is flow, which transforms one half of the latent dimensions given the other, but "
        "model.latent_dim is 1: set it to 2 or more, or choose another prior.",
    ),
    (
        {"model.prior": "vampprior", "model.conditional": True},
        "model.prior is vampprior, whose pseudo-inputs have no labels, but model.conditional is true: choose another "
        "prior, or set model.conditional to false.",
    ),
    *(
        (
            {"train.objective": objective, "train.samples": 2, f"train.{name}": value},
            f"train.objective is {objective}, which has no separate KL to weight: set train.beta to 1.0, "
            "train.beta_warmup to 0 and train.free_bits to 0.0, or choose elbo.",
        )
        for objective in ("iwae", "dreg")
        for name, value in (("beta", 2.0), ("beta_warmup", 5), ("free_bits", 0.5))
    ),
    *(
        (
            {"train.free_bits": 0.5, "model.prior": prior},
            f"train.free_bits is 0.5, which needs the KL of each latent dimension, but model.prior is {prior}, whose "
            "KL is not a sum over them: set train.free_bits to 0.0, or model.prior to standard.",
        )
        for prior in ("flow", "mixture", "vampprior")
    ),
    *(
        (
            {"train.beta": 0.0, key: value},
            "train.beta is 0, so train.beta_warmup and train.free_bits have no effect: set train.beta above 0, or both "
            "of them to 0.",
        )
        for key, value in (("train.beta_warmup", 10), ("train.free_bits", 0.5))
    ),
    *(
        (
            {"train.beta": 0.0, "model.prior": prior},
            f"train.beta is 0, so model.prior {prior} would not be trained: set train.beta above 0, or model.prior to "
            "standard.",
        )
        for prior in ("flow", "mixture", "vampprior")
    ),
    *(
        (
            {"train.objective": objective},
            f"train.objective is {objective}, which with one sample is no tighter than elbo, but train.samples is 1: "
            "set it to 2 or more, or choose elbo.",
        )
        for objective in ("iwae", "dreg")
    ),
    (
        {"model.likelihood": "logistic_mixture", "train.precision": "mixed_bfloat16"},
        "model.likelihood is logistic_mixture, which tells 256 levels apart, but train.precision is mixed_bfloat16, "
        "which rounds the decoder's outputs to about as many: set train.precision to float32.",
    ),
    *(
        (
            {"train.epsilon_std": 0.5, "train.samples": 2, key: value},
            f"train.epsilon_std is 0.5, but {key}: {value} needs samples of q(z|x) itself: set train.epsilon_std to "
            "1.0.",
        )
        for key, value in (("model.prior", "mixture"), ("train.objective", "iwae"))
    ),
    (
        {"train.epsilon_std": 0.0, "train.samples": 2},
        "train.epsilon_std is 0, so all draws of z for an image are equal, but train.samples is 2: set it to 1, or "
        "train.epsilon_std above 0.",
    ),
]
ACCEPTED: list[dict[str, Any]] = [
    {"model.prior": "flow", "model.latent_dim": 2, "train.beta_warmup": 10},
    {"model.prior": "mixture", "model.conditional": True},
    {"train.objective": "iwae", "train.samples": 5, "model.prior": "vampprior"},
    {"train.free_bits": 0.5, "train.beta": 0.5},
    {"train.epsilon_std": 1e-4, "train.samples": 2},
    {"train.epsilon_std": 0.0},
]


def write(root: Path, folder: Path, changes: dict[str, Any]) -> None:
    """Write `params.yaml` with changes by dotted key, and the name of the data set, into a folder."""
    params = YAML().load(root / "params.yaml")
    for key, value in changes.items():
        section, name = key.split(".")
        params[section][name] = value
    YAML().dump(params, folder / "params.yaml")


@pytest.mark.parametrize(("changes", "sentence"), REFUSED, ids=str)
def test_what_does_not_fit_together_is_refused_in_a_sentence(
    changes: dict[str, Any], sentence: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, tmp_path, changes)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        main()
    assert str(refused.value) == f"params.yaml: {sentence}"


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_what_fits_together_is_accepted(
    changes: dict[str, Any], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, tmp_path, changes)
    monkeypatch.chdir(tmp_path)
    main()
