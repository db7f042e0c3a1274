"""`sweep.yaml`: the trials that it asks for, and a sentence for each mistake."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from imports import ROOT
from vae.errors import InputError
from vae.sweeps.params import check_params, write_params
from vae.sweeps.settings import read_sweep
from vae.sweeps.sweep import run_sweep

GRID: dict[str, Any] = {"name": "lat", "vary": {"model.latent_dim": [2, 10]}}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return Path("sweep.yaml")


def write(file: Path, sweep: Any, **others: Any) -> None:
    file.write_text(yaml.safe_dump({"seed": 1, "sweep": sweep} | others), encoding="utf-8")


def test_all_combinations_of_lists_are_trials(file: Path) -> None:
    vary = {"model.latent_dim": [2, 10], "train.optimizer": ["adam", "muon"]}
    write(file, GRID | {"vary": vary, "fixed": {"prepare.share": 0.1}})
    _, trials = read_sweep(file)
    assert [trial.name for trial in trials] == ["lat-1", "lat-2", "lat-3", "lat-4"]
    assert [tuple(trial.settings.values()) for trial in trials] == [
        (2, "adam", 0.1),
        (2, "muon", 0.1),
        (10, "adam", 0.1),
        (10, "muon", 0.1),
    ]
    assert trials[0].varied == ("model.latent_dim", "train.optimizer")


def test_draws_stay_in_their_ranges_and_depend_on_the_seed_only(file: Path) -> None:
    vary = {
        "model.latent_dim": {"integers": [2, 4]},
        "train.learning_rate": {"log_uniform": [1e-4, 1e-1]},
        "train.beta": {"uniform": [0.5, 2]},
        "model.prior": ["standard", "flow"],
    }
    write(file, GRID | {"vary": vary, "trials": 200})
    drawn = [trial.settings for trial in read_sweep(file)[1]]
    assert len(drawn) == 400
    assert {settings["model.latent_dim"] for settings in drawn} == {2, 3, 4}
    rates = [settings["train.learning_rate"] for settings in drawn]
    assert 1e-4 <= min(rates) < 2e-4
    assert 0.05 < max(rates) <= 1e-1
    # log-uniform: a third of the draws in each decade
    assert 0.25 < sum(rate < 1e-3 for rate in rates) / 400 < 0.42
    betas = [settings["train.beta"] for settings in drawn]
    assert 0.5 <= min(betas) < 0.6
    assert 1.15 < sum(betas) / 400 < 1.35
    assert [trial.settings for trial in read_sweep(file)[1]] == drawn
    write(file, GRID | {"vary": vary, "trials": 200}, seed=2)
    assert [trial.settings for trial in read_sweep(file)[1]] != drawn


RANGE = "with two numbers, low below high."
VALUES = "but must be a list of values, or one of {uniform: [low, high]}, {log_uniform: …} and {integers: …}."
WRONG: dict[str, tuple[Any, str]] = {
    "no section": (None, "sweep is None, but must be a section with name, vary, "),
    "no name": ({"vary": GRID["vary"]}, "sweep.name is missing."),
    "a name that git refuses": (GRID | {"name": "a b"}, "sweep.name is 'a b', but must "),
    "a misspelt key": (GRID | {"worker": 2}, "sweep.worker is unknown; did you mean workers?"),
    "no workers": (GRID | {"workers": 0}, "sweep.workers is 0, but must be greater than or equal to 1."),
    "nothing to vary": (GRID | {"vary": {}}, "sweep.vary is {}, but must be a mapping from keys of params.yaml to "),
    "a value instead of a list": (GRID | {"vary": {"seed": 3}}, f"sweep.vary.seed is 3, {VALUES}"),
    "an empty list": (GRID | {"vary": {"seed": []}}, f"sweep.vary.seed is [], {VALUES}"),
    "an unknown range": (
        GRID | {"vary": {"seed": {"normal": [0, 1]}}},
        f"sweep.vary.seed is {{'normal': [0, 1]}}, {VALUES}",
    ),
    "a reversed range": (
        GRID | {"vary": {"train.beta": {"uniform": [2, 1]}}},
        f"sweep.vary.train.beta is {{'uniform': [2, 1]}}, but must be {{uniform: [low, high]}} {RANGE}",
    ),
    "a range without an end": (
        GRID | {"vary": {"train.beta": {"uniform": [2]}}},
        f"sweep.vary.train.beta is {{'uniform': [2]}}, but must be {{uniform: [low, high]}} {RANGE}",
    ),
    "a fraction of an integer": (
        GRID | {"vary": {"seed": {"integers": [0, 1.5]}}},
        "sweep.vary.seed is {'integers': [0, 1.5]}, but must be {integers: [low, high]} with two whole numbers, ",
    ),
    "a logarithm of zero": (
        GRID | {"vary": {"train.beta": {"log_uniform": [0, 1]}}},
        "sweep.vary.train.beta is {'log_uniform': [0, 1]}, but must be {log_uniform: [low, high]} with both above 0.",
    ),
    "draws without a range": (
        GRID | {"trials": 5},
        "sweep.trials is 5, but sweep.vary has no range to draw from: remove it.",
    ),
    "a key twice": (
        GRID | {"fixed": {"model.latent_dim": 3}},
        "model.latent_dim is in sweep.vary and in sweep.fixed, but must be in only one of them.",
    ),
    "losses of two units": (
        {"name": "units", "vary": {"model.latent_dim": [2], "model.likelihood": ["bernoulli", "gaussian"]}},
        "sweep.vary has model.likelihood, but validation losses with different values of it cannot be compared: ",
    ),
    "losses of other images": (
        {"name": "images", "vary": {"prepare.validation_size": [100, 200]}},
        "sweep.vary has prepare.validation_size, but validation losses with different values of it cannot be ",
    ),
    "too many trials": (
        GRID | {"vary": {"seed": [*range(200)], "model.latent_dim": [*range(1, 101)]}},
        "sweep.vary asks for 20,000 trials, but must ask for at most 10,000.",
    ),
    "a factor that keeps all": (
        GRID | {"reduction_factor": 1},
        "sweep.reduction_factor is 1, but must be greater than 1.",
    ),
    "a late first check": (
        GRID | {"reduction_factor": 2, "grace_period": 8},
        "sweep.grace_period is 8, but must be less than train.epochs, 8, or ASHA stops no trial; or set ",
    ),
    "an unknown parameter": (
        GRID | {"vary": {"model.latent_dims": [2]}},
        "lat-1: model.latent_dims is not in params.yaml; did you mean model.latent_dim?",
    ),
    "a whole section": (GRID | {"vary": {"model": [2]}}, "lat-1: model is not in params.yaml; did you mean "),
    "a value that params.yaml must not have": (
        GRID | {"vary": {"model.latent_dim": [2, 0]}},
        "lat-2: model.latent_dim is 0, but must be greater than or equal to 1.",
    ),
    "a data set that does not exist": (
        GRID | {"fixed": {"prepare.dataset": "mnits"}},
        "lat-1: prepare.dataset is 'mnits', but there is no such file or folder; did you mean mnist?",
    ),
    "values that do not fit together": (
        GRID | {"vary": {"model.latent_dim": [2, 1]}, "fixed": {"model.prior": "flow"}},
        "lat-2: model.prior is flow, which transforms one half of the latent dimensions given the other, but ",
    ),
}


@pytest.mark.parametrize(("sweep", "sentence"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_refused_in_a_sentence_with_its_place(file: Path, sweep: Any, sentence: str) -> None:
    write(file, sweep)
    with pytest.raises(InputError) as refused:
        run_sweep(file, dry_run=True)
    assert str(refused.value).startswith(f"sweep.yaml: {sentence}")
    assert len(str(refused.value).splitlines()) == 1


def test_a_wrong_params_file_is_refused_in_its_own_name(file: Path) -> None:
    write(file, GRID)
    for text, sentence in (("model: [", "params.yaml "), ("- 1\n", "params.yaml ")):
        Path("params.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as refused:
            run_sweep(file, dry_run=True)
        assert str(refused.value).startswith(sentence)


def test_a_missing_file_is_refused(file: Path) -> None:
    with pytest.raises(InputError, match=r"^sweep\.yaml cannot be read: No such file or directory\.$"):
        run_sweep(file)


def test_the_parameters_of_a_trial_differ_in_its_settings_only_and_keep_the_comments(tmp_path: Path) -> None:
    settings = {"seed": 7, "prepare.image_size": [32, 32], "train.learning_rate": 1e-05, "model.conditional": True}
    write_params(ROOT / "params.yaml", settings, tmp_path / "params.yaml")
    before, after = (path.read_text(encoding="utf-8") for path in (ROOT / "params.yaml", tmp_path / "params.yaml"))
    expected = yaml.safe_load(before)
    expected["seed"] = 7
    expected["prepare"]["image_size"] = [32, 32]
    expected["train"]["learning_rate"] = 1e-05
    expected["model"]["conditional"] = True
    assert YAML(typ="safe").load(after) == expected  # as DVC and the stages read it
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.split(":")[0].strip() for line in changed if ":" in line] == [
        "seed",
        "image_size",
        "conditional",
        "learning_rate",
    ]
    assert "# K" in after
    assert check_params(ROOT / "params.yaml", settings | {"train.epochs": 3}) == 3
