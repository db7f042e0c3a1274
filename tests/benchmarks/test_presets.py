"""The presets in `params/`: each is allowed by the settings and differs from `params.yaml`."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from benchmarks.literature import SEEDS
from benchmarks.presets import main, names, read_preset
from vae.data.splits import Split
from vae.errors import InputError
from vae.settings.__main__ import main as check_settings
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.training.fit import build_model


@pytest.mark.parametrize("preset", names())
def test_every_preset_is_allowed_and_differs_from_params_yaml(
    preset: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_preset(preset)
    monkeypatch.chdir(tmp_path)
    shutil.copy(root / "params.yaml", tmp_path)
    params, changes = YAML().load(Path("params.yaml")), 0
    for key, value in settings.items():
        section, name = key.split(".")
        changes += params[section][name] != value
        params[section][name] = value
    assert changes
    YAML().dump(params, Path("params.yaml"))
    check_settings()
    _, model, train = load_settings(Model, Train)
    build_model(Split(np.zeros((55_000, 28, 28, 1), np.float32), None, np.array([], np.str_)), model, train, seed=1)


def test_the_presets_of_the_comparison_are_the_files() -> None:
    assert sorted(SEEDS) == names()


def test_the_command_prints_the_options_of_dvc(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["presets", "flow"])
    main()
    words = capsys.readouterr().out.split()
    assert set(words[::2]) == {"-S"}
    assert {"model.latent_dim=40", "model.prior=flow", "model.likelihood=binarized"} <= set(words[1::2])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seed: 3", "must contain sections of params.yaml, such as train, each with some of its settings."),
        ("train: {}", "must contain sections of params.yaml, such as train, each with some of its settings."),
        ("", "must contain sections of params.yaml, such as train, each with some of its settings."),
        ("train: [", "is not valid YAML: "),
    ],
)
def test_a_wrong_preset_is_refused_in_a_sentence(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params").mkdir()
    Path("params/mine.yaml").write_text(text)
    with pytest.raises(InputError, match=f"^params/mine.yaml {re.escape(sentence)}"):
        read_preset("mine")


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    sentence = r"^there is no preset 'wide'; params/ contains: binarized_k10, .*vampprior\.$"
    with pytest.raises(InputError, match=sentence):
        read_preset("wide")
