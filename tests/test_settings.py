"""`params.yaml`: what is accepted, and the sentence that each mistake earns."""

import copy
import re
from pathlib import Path
from typing import Annotated, Any, get_args

import hypothesis
import pytest
import yaml
from dvc.utils.serialize import load_yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from vae.errors import InputError
from vae.settings import Embed, Params, Prepare, Section, Train, load_settings

COMMITTED = Path(__file__).parents[1] / "params.yaml"
PARAMS: dict[str, Any] = load_yaml(COMMITTED)  # as DVC reads it
CLASSES = {name: field.annotation for name, field in Params.model_fields.items() if name != "seed"}
# Of the committed file, so that a parameter added there has all these tests too.
KEYS = [
    f"{name}.{key}" if key else name for name, keys in PARAMS.items() for key in (keys if name in CLASSES else [""])
]
TRAIN = ", ".join(Train.model_fields)
SECTIONS = "seed, prepare, train, evaluate, embed, visualize, baseline, classify, score"
REMOVED = object()


def with_value(key: str, value: Any) -> dict[str, Any]:
    """The committed parameters, but one of them has that value, or is `REMOVED`."""
    params = copy.deepcopy(PARAMS)
    *sections, name = key.split(".")
    section = params[sections[0]] if sections else params
    if value is REMOVED:
        del section[name]
    else:
        section[name] = value
    return params


def write(path: Path, params: dict[Any, Any]) -> Path:
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a test, or each example of a property, writes the file it is about."""
    return tmp_path_factory.mktemp("settings") / "params.yaml"


def message(path: Path) -> str:
    """What a stage says about the file, without the file's own name: a printable line for each mistake."""
    with pytest.raises(InputError) as refused:
        load_settings(Prepare, path)
    return without_name(refused.value, path)


def without_name(refused: InputError, path: Path) -> str:
    lines = str(refused).split("\n")
    assert all(line.startswith(str(path)) and line.isprintable() for line in lines)
    return "\n".join(line.replace(str(path), "FILE") for line in lines)


@pytest.mark.parametrize("name", CLASSES)
def test_the_committed_file_holds_every_section(name: str) -> None:
    settings, seed = load_settings(CLASSES[name], COMMITTED)
    assert isinstance(settings, Section)
    assert (settings.model_dump(), seed) == (PARAMS[name], PARAMS["seed"])


def test_the_file_is_params_yaml_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "params.yaml", with_value("seed", 77))
    monkeypatch.chdir(tmp_path)
    assert load_settings(Embed)[1] == 77


@pytest.mark.parametrize("key", KEYS)
def test_every_parameter_that_is_missing_is_told(key: str, file: Path) -> None:
    assert message(write(file, with_value(key, REMOVED))) == f"FILE: {key} is missing."


def kind(key: str) -> str:
    """What a parameter must be, limits aside."""
    section, _, name = key.rpartition(".")
    annotation = (CLASSES[section] if section else Params).model_fields[name].annotation
    if words := get_args(annotation):
        return f"{', '.join(map(repr, words[:-1]))} or {words[-1]!r}"
    return {int: "a valid integer", float: "a valid number"}[annotation]


@pytest.mark.parametrize("value", ["5", True, None, [1]], ids=repr)
@pytest.mark.parametrize("key", KEYS)
def test_every_parameter_of_the_wrong_type_is_told(key: str, value: Any, file: Path) -> None:
    assert message(write(file, with_value(key, value))) == f"FILE: {key} is {value!r}, but must be {kind(key)}."


@pytest.mark.parametrize("value", [8.0, float("nan")])
@pytest.mark.parametrize("key", [key for key in KEYS if kind(key) == "a valid integer"])
def test_every_integer_that_is_a_number_of_another_kind_is_told(key: str, value: float, file: Path) -> None:
    assert message(write(file, with_value(key, value))) == f"FILE: {key} is {value!r}, but must be a valid integer."


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("key", [key for key in KEYS if kind(key) == "a valid number"])
def test_every_number_that_is_not_finite_is_told(key: str, value: float, file: Path) -> None:
    assert message(write(file, with_value(key, value))) == f"FILE: {key} is {value!r}, but must be a finite number."


SLIPS = {
    "a letter too few": lambda name: name[:-1],
    "a letter too many": lambda name: name + "s",
    "upper case": str.upper,
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("key", [*KEYS, *CLASSES])
def test_every_misspelt_name_is_told_with_the_right_one(key: str, slip: str, file: Path) -> None:
    *section, name = key.split(".")
    misspelt = ".".join([*section, SLIPS[slip](name)])
    params = with_value(misspelt, (PARAMS[section[0]] if section else PARAMS)[name])
    del (params[section[0]] if section else params)[name]
    assert message(write(file, params)) == f"FILE: {misspelt} is unknown; did you mean {name}?"


@pytest.mark.parametrize("section", ["", *CLASSES])
def test_an_unknown_key_is_told_in_every_section(section: str, file: Path) -> None:
    key = f"{section}.zzz" if section else "zzz"
    known = PARAMS[section] if section else PARAMS
    assert message(write(file, with_value(key, 1))) == f"FILE: {key} is unknown; known are {', '.join(known)}."


@pytest.mark.parametrize("value", [5, None])
@pytest.mark.parametrize("section", CLASSES)
def test_a_section_that_is_none_is_told_with_what_belongs_there(section: str, value: Any, file: Path) -> None:
    sentence = f"{section} is {value!r}, but must be a section with {', '.join(PARAMS[section])}."
    assert message(write(file, with_value(section, value))) == f"FILE: {sentence}"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("seeed", 1, "seeed is unknown; did you mean seed?"),
        ("train.latent_dims", 2, "train.latent_dims is unknown; did you mean latent_dim?"),
        ("train.momentum", 0.9, f"train.momentum is unknown; known are {TRAIN}."),
        ("gpu", {}, f"gpu is unknown; known are {SECTIONS}."),
        ("train.epochs", "8", "train.epochs is '8', but must be a valid integer."),
        ("train.dropout", False, "train.dropout is False, but must be a valid number."),
        ("train.schedule", "step", "train.schedule is 'step', but must be 'trapezoid', 'cosine' or 'constant'."),
        ("train.precision", "float16", "train.precision is 'float16', but must be 'float32' or 'mixed_bfloat16'."),
        ("train.optimizer", "sgd", "train.optimizer is 'sgd', but must be 'adam' or 'muon'."),
        ("prepare.dataset", 1, "prepare.dataset is 1, but must be 'mnist', 'fashion_mnist' or 'kmnist'."),
        ("train.epochs", "8" * 99, "train.epochs is '888888888888...8888888888888', but must be a valid integer."),
        ("train.epochs", "8\n", r"train.epochs is '8\n', but must be a valid integer."),
        ("train.a\nb", 1, rf"train.'a\nb' is unknown; known are {TRAIN}."),
        ("train.", 1, f"train.'' is unknown; known are {TRAIN}."),
        ("train.dropout", 10**400, f"train.dropout is 1{'0' * 17}...{'0' * 19}, but must be a valid number."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(key: str, value: Any, sentence: str, file: Path) -> None:
    assert message(write(file, with_value(key, value))) == f"FILE: {sentence}"


AT_LEAST, AT_MOST, ABOVE, BELOW = "greater than or equal to", "less than or equal to", "greater than", "less than"


LIMITS = [
    ("seed", -1, f"{AT_LEAST} 0"),
    ("seed", 2**32, f"{BELOW} 4294967296"),
    ("prepare.share", 0, f"{ABOVE} 0"),
    ("prepare.share", 1.01, f"{AT_MOST} 1"),
    ("prepare.validation_size", 9, f"{AT_LEAST} 10"),
    ("prepare.validation_size", 59_991, f"{AT_MOST} 59990"),
    ("train.latent_dim", 0, f"{AT_LEAST} 1"),
    ("train.latent_dim", 1025, f"{AT_MOST} 1024"),
    ("train.epsilon_std", -0.1, f"{AT_LEAST} 0"),
    ("train.epsilon_std", 100.1, f"{AT_MOST} 100"),
    ("train.dropout", -0.1, f"{AT_LEAST} 0"),
    ("train.dropout", 1, f"{BELOW} 1"),
    ("train.epochs", 0, f"{AT_LEAST} 1"),
    ("train.epochs", 100_001, f"{AT_MOST} 100000"),
    ("train.batch_size", 0, f"{AT_LEAST} 1"),
    ("train.batch_size", 60_001, f"{AT_MOST} 60000"),
    ("train.learning_rate", 0, f"{ABOVE} 0"),
    ("train.learning_rate", 1000.1, f"{AT_MOST} 1000"),
    ("train.warmup", -0.1, f"{AT_LEAST} 0"),
    ("train.warmup", 1, f"{BELOW} 1"),
    ("train.patience", 0, f"{AT_LEAST} 1"),
    ("train.patience", 100_001, f"{AT_MOST} 100000"),
    ("evaluate.samples", 0, f"{AT_LEAST} 1"),
    ("evaluate.samples", 1_000_001, f"{AT_MOST} 1000000"),
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
    ("classify.epochs", 100_001, f"{AT_MOST} 100000"),
    ("classify.batch_size", 0, f"{AT_LEAST} 1"),
    ("classify.batch_size", 60_001, f"{AT_MOST} 60000"),
    ("classify.learning_rate", 0, f"{ABOVE} 0"),
    ("classify.learning_rate", 1000.1, f"{AT_MOST} 1000"),
    ("score.mixture_components", 0, f"{AT_LEAST} 1"),
    ("score.mixture_components", 101, f"{AT_MOST} 100"),
    ("score.batch_size", 0, f"{AT_LEAST} 1"),
    ("score.batch_size", 60_001, f"{AT_MOST} 60000"),
]


@pytest.mark.parametrize(("key", "value", "limit"), LIMITS)
def test_a_value_beyond_a_limit_is_refused(key: str, value: float, limit: str, file: Path) -> None:
    assert message(write(file, with_value(key, value))) == f"FILE: {key} is {value}, but must be {limit}."


@pytest.mark.parametrize("key", KEYS)
def test_every_limit_is_tested_above(key: str) -> None:
    section, _, name = key.rpartition(".")
    limits = (CLASSES[section] if section else Params).model_fields[name].metadata
    assert [limited for limited, _, _ in LIMITS].count(key) == len(limits)
    assert limits or kind(key).startswith("'")  # a number without any has been forgotten


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
    "train": {"latent_dim": 1024, "epsilon_std": 100, "dropout": 0.99, "epochs": 100_000, "batch_size": 60_000}
    | {
        "learning_rate": 1000,
        "schedule": "cosine",
        "warmup": 0.99,
        "patience": 100_000,
        "precision": "mixed_bfloat16",
        "optimizer": "muon",
    },
    "evaluate": {"samples": 1_000_000, "batch_size": 60_000},
    "embed": {"batch_size": 60_000},
    "visualize": {"tsne_points": 70_000, "perplexity": 23_333.0, "prior_samples": 400},
    "baseline": {"principal_components": 784},
    "classify": {"epochs": 100_000, "batch_size": 60_000, "learning_rate": 1000},
    "score": {"mixture_components": 100, "batch_size": 60_000},
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("params", [LOWEST, HIGHEST], ids=["lowest", "highest"])
def test_the_limits_themselves_are_accepted(params: dict[str, Any], name: str, file: Path) -> None:
    settings, seed = load_settings(CLASSES[name], write(file, params))
    assert (settings.model_dump(), seed) == (params[name], params["seed"])


def test_a_perplexity_too_high_for_the_points_is_refused(file: Path) -> None:
    params = with_value("visualize.perplexity", 3333.1)
    expected = "FILE: visualize.perplexity is 3333.1, but must be at most 3333, as visualize.tsne_points is 10000."
    assert message(write(file, params)) == expected
    params["visualize"]["tsne_points"] = "all"  # a mistake by itself, and no measure of the perplexity
    assert message(write(file, params)) == "FILE: visualize.tsne_points is 'all', but must be a valid integer."


def test_two_mistakes_are_told_in_two_sentences(file: Path) -> None:
    params = with_value("train.epochs", 0)
    params["embed"]["batch_size"] = "all"
    assert message(write(file, params)).splitlines() == [
        "FILE: train.epochs is 0, but must be greater than or equal to 1.",
        "FILE: embed.batch_size is 'all', but must be a valid integer.",
    ]


NO_MAPPING = f"FILE must hold a mapping of sections ({SECTIONS})."
TAG = "FILE is not valid YAML: a tag (!…) has no place here (line 1, column {})."


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"- seed: 1\n", NO_MAPPING, id="list"),
        pytest.param(b"", NO_MAPPING, id="empty"),
        pytest.param(b"# seed: 1\n", NO_MAPPING, id="comments alone"),
        pytest.param(b"seed\n", NO_MAPPING, id="word"),
        pytest.param(
            b"seed: 1\nseed: 2\n",
            "FILE is not valid YAML: key 'seed' is given twice (line 2, column 1).",
            id="key twice",
        ),
        pytest.param(
            b"train: {epochs: 1, epochs: 1}\n",
            "FILE is not valid YAML: key 'epochs' is given twice (line 1, column 20).",
            id="key of a section twice",
        ),
        pytest.param(
            b"seed: [1\n",
            "FILE is not valid YAML: expected ',' or ']', but got '<stream end>' (line 2, column 1).",
            id="unclosed",
        ),
        pytest.param(
            b"train:\n\tepochs: 1\n",
            r"FILE is not valid YAML: found character '\t' that cannot start any token (line 2, column 1).",
            id="tab",
        ),
        pytest.param(
            b"seed: 1\n train: {}\n",
            "FILE is not valid YAML: mapping values are not allowed here (line 2, column 7).",
            id="indented by one",
        ),
        pytest.param(
            b"seed: 1\n---\nseed: 2\n",
            "FILE is not valid YAML: but found another document (line 2, column 1).",
            id="two documents",
        ),
        pytest.param(
            b"seed: *none\n",
            "FILE is not valid YAML: found undefined alias 'none' (line 1, column 7).",
            id="alias of nothing",
        ),
        pytest.param(
            b"? [1]\n: 2\n", "FILE is not valid YAML: found unhashable key (line 1, column 3).", id="list for a key"
        ),
        pytest.param(
            b"seed: 1 # \xe9t\xe9\n",
            "FILE is not valid YAML: 'utf-8' codec can't decode byte 0xe9 in position 10: invalid continuation byte.",
            id="not UTF-8",
        ),
        pytest.param(
            b"seed: 1\0\n",
            "FILE is not valid YAML: unacceptable character #x0000: special characters are not allowed in "
            '"<unicode string>", position 7.',
            id="zero byte",
        ),
        pytest.param(
            b"seed: " + b"9" * 5000,
            "FILE is not valid YAML: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 "
            "digits; use sys.set_int_max_str_digits() to increase the limit.",
            id="5,000 digits",
        ),
        pytest.param(
            b"[" * 600, "FILE is nested too deeply: it must hold a mapping of sections.", id="nested without end"
        ),
        pytest.param(b"seed: !!int x\n", TAG.format(7), id="tag"),
        pytest.param(b"!!timestamp x: 1\n", TAG.format(1), id="tag of a key"),
    ],
)
def test_a_file_that_is_no_mapping_of_sections_is_refused(content: bytes, expected: str, file: Path) -> None:
    file.write_bytes(content)
    assert message(file) == expected


def test_a_tag_that_would_run_code_is_refused_and_runs_nothing(file: Path) -> None:
    pwned = file.with_name("pwned")
    file.write_text(f"seed: !!python/object/apply:os.mkdir [{pwned}]\n")
    assert message(file) == TAG.format(7)
    assert not pwned.exists()
    yaml.unsafe_load(file.read_text())
    assert pwned.exists()  # so it would have worked


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("&a [*a]", id="of itself"),
        pytest.param("&a {batch_size: *a}", id="a section of itself"),
        pytest.param(
            "[&a0 [x], " + ", ".join(f"&a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(30)) + "]",
            id="of ten to the thirtieth",
        ),
    ],
)
def test_an_alias_without_end_is_told_in_short(value: str, file: Path) -> None:
    told = message(with_text(file, "share", value))
    assert told.startswith("FILE: prepare.share is ")
    assert told.endswith(", but must be a valid number.")
    assert len(told) < 400


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert message(tmp_path / "params.yaml") == "FILE cannot be read: No such file or directory."


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    assert message(tmp_path) == "FILE cannot be read: Is a directory."


def test_a_key_that_is_no_string_is_unknown(file: Path) -> None:
    assert message(write(file, PARAMS | {1: 2})) == f"FILE: 1 is unknown; known are {SECTIONS}."


def with_text(file: Path, key: str, text: str) -> Path:
    committed = COMMITTED.read_text(encoding="utf-8")
    file.write_text(re.sub(rf"\b{key}: \S+", f"{key}: {text}", committed, count=1), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 0.001), ("2E-4", 0.0002), (".5e+1", 5.0), ("1", 1.0), ("1.", 1.0), ("+0.1", 0.1)]
)
def test_numbers_are_read_as_in_yaml_1_2(text: str, value: float, file: Path) -> None:
    assert load_settings(Train, with_text(file, "learning_rate", text))[0].learning_rate == value


@pytest.mark.parametrize("text", ["010", "1:30", "0x10", "1_000", "on", "2026-02-30"])
def test_what_is_another_number_in_yaml_1_1_is_refused(text: str, file: Path) -> None:
    assert message(with_text(file, "seed", text)) == f"FILE: seed is '{text}', but must be a valid integer."


def test_an_alias_is_its_value(file: Path) -> None:
    committed = COMMITTED.read_text(encoding="utf-8").replace("seed: 1", "seed: &same 3")
    file.write_text(committed.replace("patience: 5", "patience: *same"), encoding="utf-8")
    settings, seed = load_settings(Train, file)
    assert (settings.patience, seed) == (3, 3)


def test_settings_cannot_be_changed() -> None:
    settings, _ = load_settings(Train, COMMITTED)
    with pytest.raises(ValidationError, match="frozen"):
        settings.epochs = 1


def valid(model: type[Section]) -> st.SearchStrategy[dict[str, Any]]:
    """Values within the limits, for every key of a section, subsections included."""
    return st.fixed_dictionaries(
        {
            name: valid(field.annotation)
            if name in CLASSES
            else st.from_type(Annotated[(field.annotation, "within", *field.metadata)]).filter(
                lambda x: x != float("inf")
            )
            for name, field in model.model_fields.items()
        }
    )


def fits(params: dict[str, Any]) -> bool:
    """Whether there are enough points for the perplexity, the one limit that is another parameter."""
    return bool(3 * params["visualize"]["perplexity"] < params["visualize"]["tsne_points"] - 1)


@hypothesis.settings(deadline=None)
@given(valid(Params).filter(fits), st.sampled_from(list(CLASSES)))
def test_valid_values_come_back_as_they_were_written(file: Path, params: dict[str, Any], name: str) -> None:
    settings, seed = load_settings(CLASSES[name], write(file, params))
    assert (settings.model_dump(), seed) == (params[name], params["seed"])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=9
)


def read_or_refused(file: Path, section: type[Section]) -> dict[str, Any] | None:
    """The section's values and the seed; None if the file is refused, with a line for each mistake."""
    try:
        settings, seed = load_settings(section, file)
    except InputError as refused:
        without_name(refused, file)
        return None
    return settings.model_dump() | {"seed": seed}


@hypothesis.settings(deadline=None)
@given(st.sampled_from([*KEYS, *CLASSES, "other", "train.other"]), VALUES)
def test_any_value_of_any_key_is_read_as_it_is_or_refused(file: Path, key: str, value: Any) -> None:
    section, _, name = key.rpartition(".")
    found = read_or_refused(write(file, with_value(key, value)), CLASSES[section] if section else Prepare)
    assert found is None or found[name] == value


@hypothesis.settings(deadline=None)
@given(st.binary(max_size=60) | st.text("sed: 1\n-[]{}&*!?|>'\"%@`,#~<", max_size=40).map(str.encode))
@example(b"seed: " + b":".join([b"1"] * 300) + b".5")
@example(b"seed: !!timestamp x")
@example(b"<<: [{seed: 1}]")
def test_any_file_that_is_short_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert read_or_refused(file, Prepare) is None
