"""`params.yaml`: what is accepted, and the sentence that each mistake earns."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from vae.errors import InputError
from vae.settings import Classify, Embed, Evaluate, Prepare, Score, Section, Train, Visualize, load_settings

COMMITTED = Path(__file__).parents[1] / "params.yaml"
TRAIN = ", ".join(Train.model_fields)
SECTIONS = "seed, prepare, train, evaluate, embed, visualize, baseline, classify, score"
REMOVED = object()


def changed(path: Path, **changes: Any) -> Path:
    """A copy of the committed file at `path`, with other values; `train__epochs` stands for `train.epochs`."""
    params = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    for key, value in changes.items():
        *sections, name = key.split("__")
        section = params[sections[0]] if sections else params
        if value is REMOVED:
            del section[name]
        else:
            section[name] = value
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    return path


def message(path: Path) -> str:
    """What a stage says about the file, without the file's own name."""
    with pytest.raises(InputError) as refused:
        load_settings(Prepare, path)
    return str(refused.value).replace(str(path), "FILE")


@pytest.mark.parametrize("section", [Prepare, Train, Evaluate, Embed, Visualize, Classify, Score])
def test_the_committed_file_holds_every_section(section: type[Section]) -> None:
    params = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    settings, seed = load_settings(section, COMMITTED)
    assert isinstance(settings, section)
    assert seed == params["seed"]
    # PyYAML by itself reads 1e-4 as a string.
    expected = params[section.__name__.lower()]
    assert {key: type(value)(expected[key]) for key, value in settings} == settings.model_dump()


def test_the_file_is_params_yaml_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(tmp_path / "params.yaml", seed=77)
    monkeypatch.chdir(tmp_path)
    assert load_settings(Embed)[1] == 77


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seeed": 1}, "seeed is unknown; did you mean seed?"),
        ({"train__latent_dims": 2}, "train.latent_dims is unknown; did you mean latent_dim?"),
        ({"train__momentum": 0.9}, f"train.momentum is unknown; known are {TRAIN}."),
        ({"gpu": {}}, f"gpu is unknown; known are {SECTIONS}."),
        ({"seed": REMOVED}, "seed is missing."),
        ({"train__epochs": REMOVED}, "train.epochs is missing."),
        ({"visualize": REMOVED}, "visualize is missing."),
        ({"seed": True}, "seed is True, but must be a valid integer."),
        ({"train__epochs": "8"}, "train.epochs is '8', but must be a valid integer."),
        ({"train__epochs": True}, "train.epochs is True, but must be a valid integer."),
        ({"train__epochs": 8.0}, "train.epochs is 8.0, but must be a valid integer."),
        ({"train__epochs": None}, "train.epochs is None, but must be a valid integer."),
        ({"train__dropout": "0.5"}, "train.dropout is '0.5', but must be a valid number."),
        ({"train__dropout": False}, "train.dropout is False, but must be a valid number."),
        ({"train__epsilon_std": float("nan")}, "train.epsilon_std is nan, but must be a finite number."),
        ({"train__epsilon_std": float("inf")}, "train.epsilon_std is inf, but must be a finite number."),
        ({"train__schedule": "linear"}, "train.schedule is 'linear', but must be 'cosine' or 'constant'."),
        ({"train__precision": "float16"}, "train.precision is 'float16', but must be 'float32' or 'mixed_bfloat16'."),
        ({"train__optimizer": "sgd"}, "train.optimizer is 'sgd', but must be 'adam' or 'muon'."),
        ({"prepare__dataset": 1}, "prepare.dataset is 1, but must be 'mnist', 'fashion_mnist' or 'kmnist'."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    assert message(changed(tmp_path / "params.yaml", **changes)) == f"FILE: {sentence}"


AT_LEAST, AT_MOST, ABOVE, BELOW = "greater than or equal to", "less than or equal to", "greater than", "less than"


@pytest.mark.parametrize(
    ("key", "value", "limit"),
    [
        ("seed", -1, f"{AT_LEAST} 0"),
        ("seed", 2**32, f"{BELOW} 4294967296"),
        ("prepare.share", 0, f"{ABOVE} 0"),
        ("prepare.share", 1.01, f"{AT_MOST} 1"),
        ("prepare.validation_size", 9, f"{AT_LEAST} 10"),
        ("prepare.validation_size", 59_991, f"{AT_MOST} 59990"),
        ("train.latent_dim", 0, f"{AT_LEAST} 1"),
        ("train.latent_dim", 1025, f"{AT_MOST} 1024"),
        ("train.epsilon_std", -0.1, f"{AT_LEAST} 0"),
        ("train.dropout", -0.1, f"{AT_LEAST} 0"),
        ("train.dropout", 1, f"{BELOW} 1"),
        ("train.epochs", 0, f"{AT_LEAST} 1"),
        ("train.batch_size", 0, f"{AT_LEAST} 1"),
        ("train.batch_size", 60_001, f"{AT_MOST} 60000"),
        ("train.learning_rate", 0, f"{ABOVE} 0"),
        ("train.warmup", -0.1, f"{AT_LEAST} 0"),
        ("train.warmup", 1, f"{BELOW} 1"),
        ("train.patience", 0, f"{AT_LEAST} 1"),
        ("evaluate.samples", 0, f"{AT_LEAST} 1"),
        ("evaluate.batch_size", 0, f"{AT_LEAST} 1"),
        ("evaluate.batch_size", 60_001, f"{AT_MOST} 60000"),
        ("embed.batch_size", 0, f"{AT_LEAST} 1"),
        ("embed.batch_size", 60_001, f"{AT_MOST} 60000"),
        ("visualize.tsne_points", 49, f"{AT_LEAST} 50"),
        ("visualize.tsne_points", 70_001, f"{AT_MOST} 70000"),
        ("visualize.perplexity", 1.9, f"{AT_LEAST} 2"),
        ("visualize.prior_samples", 0, f"{AT_LEAST} 1"),
        ("visualize.prior_samples", 401, f"{AT_MOST} 400"),
        ("baseline.principal_components", 0, f"{AT_LEAST} 1"),
        ("baseline.principal_components", 785, f"{AT_MOST} 784"),
        ("classify.epochs", 0, f"{AT_LEAST} 1"),
        ("classify.batch_size", 0, f"{AT_LEAST} 1"),
        ("classify.batch_size", 60_001, f"{AT_MOST} 60000"),
        ("classify.learning_rate", 0, f"{ABOVE} 0"),
        ("score.mixture_components", 0, f"{AT_LEAST} 1"),
        ("score.mixture_components", 101, f"{AT_MOST} 100"),
        ("score.batch_size", 0, f"{AT_LEAST} 1"),
        ("score.batch_size", 60_001, f"{AT_MOST} 60000"),
    ],
)
def test_a_value_beyond_a_limit_is_refused(key: str, value: float, limit: str, tmp_path: Path) -> None:
    path = changed(tmp_path / "params.yaml", **{key.replace(".", "__"): value})
    assert message(path) == f"FILE: {key} is {value}, but must be {limit}."


LOWEST = {
    "seed": 0,
    "prepare": {"dataset": "mnist", "share": 1e-9, "validation_size": 10},
    "train": {"latent_dim": 1, "epsilon_std": 0, "dropout": 0, "epochs": 1, "batch_size": 1, "learning_rate": 1e-9}
    | {"schedule": "constant", "warmup": 0, "patience": 1, "precision": "float32", "optimizer": "adam"},
    "evaluate": {"samples": 1, "batch_size": 1},
    "embed": {"batch_size": 1},
    "visualize": {"tsne_points": 50, "perplexity": 2, "prior_samples": 1},
    "baseline": {"principal_components": 1},
    "classify": {"epochs": 1, "batch_size": 1, "learning_rate": 1e-9},
    "score": {"mixture_components": 1, "batch_size": 1},
}
HIGHEST = {
    "seed": 2**32 - 1,
    "prepare": {"dataset": "kmnist", "share": 1, "validation_size": 59_990},
    "train": {"latent_dim": 1024, "epsilon_std": 1e9, "dropout": 0.99, "epochs": 10**9, "batch_size": 60_000}
    | {
        "learning_rate": 1e9,
        "schedule": "cosine",
        "warmup": 0.99,
        "patience": 10**9,
        "precision": "mixed_bfloat16",
        "optimizer": "muon",
    },
    "evaluate": {"samples": 10**9, "batch_size": 60_000},
    "embed": {"batch_size": 60_000},
    "visualize": {"tsne_points": 70_000, "perplexity": 3333, "prior_samples": 400},
    "baseline": {"principal_components": 784},
    "classify": {"epochs": 10**9, "batch_size": 60_000, "learning_rate": 1e9},
    "score": {"mixture_components": 100, "batch_size": 60_000},
}


@pytest.mark.parametrize("params", [LOWEST, HIGHEST], ids=["lowest", "highest"])
def test_the_limits_themselves_are_accepted(params: dict[str, Any], tmp_path: Path) -> None:
    path = changed(tmp_path / "params.yaml", **params)
    for section in (Prepare, Train, Evaluate, Embed, Visualize, Classify, Score):
        settings, seed = load_settings(section, path)
        assert (settings.model_dump(), seed) == (params[section.__name__.lower()], params["seed"])


def test_a_section_that_is_none_is_told_what_belongs_there(tmp_path: Path) -> None:
    path = changed(tmp_path / "params.yaml", embed=5)
    with pytest.raises(InputError, match=r"embed is 5, but must be a section with batch_size\.$"):
        load_settings(Embed, path)


def test_two_mistakes_are_told_in_two_sentences(tmp_path: Path) -> None:
    path = changed(tmp_path / "params.yaml", train__epochs=0, embed__batch_size="all")
    assert message(path).splitlines() == [
        "FILE: train.epochs is 0, but must be greater than or equal to 1.",
        "FILE: embed.batch_size is 'all', but must be a valid integer.",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"- seed: 1\n", rf"FILE must hold a mapping of sections \({SECTIONS}\)\."),
        (b"", rf"FILE must hold a mapping of sections \({SECTIONS}\)\."),
        (b"seed: 1\nseed: 2\n", r"FILE is not valid YAML: key 'seed' is given twice in .*, line 1, column 1.*"),
        (b"train: {epochs: 1, epochs: 1}\n", r"FILE is not valid YAML: key 'epochs' is given twice in .*"),
        (b"seed: [1\n", r"FILE is not valid YAML: while parsing a flow sequence .*, line 1, column 7.*\."),
        (b"seed: 1 # \xe9t\xe9\n", r"FILE is not valid YAML: 'utf-8' codec can't decode byte 0xe9 .*\."),
        (b"seed: 2026-02-30\n", r"FILE is not valid YAML: .*day.*\."),
    ],
    ids=["list", "empty", "key twice", "key of a section twice", "unclosed", "not UTF-8", "no such date"],
)
def test_a_file_that_is_no_mapping_of_sections_is_refused(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    assert re.fullmatch(expected, message(path))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert message(tmp_path / "params.yaml") == "FILE cannot be read: No such file or directory."


def test_a_key_that_is_no_string_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(COMMITTED.read_text(encoding="utf-8") + "\n1: 2\n", encoding="utf-8")
    assert message(path) == f"FILE: 1 is unknown; known are {SECTIONS}."


@pytest.mark.parametrize(("text", "value"), [("1e-3", 0.001), ("2E-4", 0.0002), (".5e+1", 5.0), ("1", 1.0)])
def test_numbers_are_read_as_in_yaml_1_2(text: str, value: float, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    committed = COMMITTED.read_text(encoding="utf-8")
    path.write_text(re.sub(r"learning_rate: \S+", f"learning_rate: {text}", committed), encoding="utf-8")
    assert load_settings(Train, path)[0].learning_rate == value


def test_settings_cannot_be_changed() -> None:
    settings, _ = load_settings(Train, COMMITTED)
    with pytest.raises(ValidationError, match="frozen"):
        settings.epochs = 1
