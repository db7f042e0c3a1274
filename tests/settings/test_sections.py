"""The sections of `params.yaml`: every option is described and limited, and the committed file contains them all."""

import copy
import importlib
import pkgutil
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import pytest
from dvc.utils.serialize import load_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import vae.settings
from vae.data.catalogue import SOURCES
from vae.errors import InputError
from vae.settings import Section
from vae.settings.__main__ import SECTIONS
from vae.settings.loader import load_settings, validate
from vae.settings.prepare import NAMES, require_data_set

BY_NAME = {section.__name__.lower(): section for section in SECTIONS}
COMMITTED = Path(__file__).parents[2] / "params.yaml"
PARAMS: dict[str, Any] = load_yaml(COMMITTED)  # as DVC reads it
FIELDS = {f"{name}.{key}": field for name, section in BY_NAME.items() for key, field in section.model_fields.items()}
NUMERIC = {key: field for key, field in FIELDS.items() if field.annotation in (int, float)}
OTHERS = {
    "prepare.dataset",
    "prepare.image_size",
    "prepare.channels",
    "prepare.skip_unreadable",
    "model.conditional",
    "train.initial_weights",
}
"""The options that are neither a number nor one of some words, each with tests of its own."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the file that a test, or each example of a property, writes."""
    return tmp_path_factory.mktemp("settings") / "params.yaml"


def write(file: Path, params: dict[str, Any]) -> Path:
    YAML(typ="safe").dump(params, file)
    return file


def with_value(key: str, value: Any) -> dict[str, Any]:
    """Return the committed parameters with another value of one option."""
    params = copy.deepcopy(PARAMS)
    section, _, name = key.partition(".")
    params[section][name] = value
    return params


def refusal(file: Path, params: dict[str, Any]) -> str:
    with pytest.raises(InputError) as refused:
        validate(write(file, params), SECTIONS, others="forbid")
    return str(refused.value).removeprefix(f"{file}: ")


def test_the_command_checks_the_section_of_every_module() -> None:
    modules = [
        importlib.import_module(f"vae.settings.{found.name}") for found in pkgutil.iter_modules(vae.settings.__path__)
    ]
    defined = {
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Section) and thing is not Section
    }
    assert set(SECTIONS) == defined


def test_the_committed_file_contains_every_option_and_no_other() -> None:
    assert PARAMS.keys() == {"seed", *BY_NAME}
    for name, section in BY_NAME.items():
        seed, found = load_settings(section, path=COMMITTED)
        assert (seed, found.model_dump()) == (PARAMS["seed"], PARAMS[name])


def test_every_option_is_described_in_a_sentence() -> None:
    assert {key for key, field in FIELDS.items() if not (field.description or "").endswith(".")} == set()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "the path of a .keras file, or data/random_weights.txt."),
        ("weights.h5", "the path of a .keras file, or data/random_weights.txt."),
        ("~/start.keras", "the path of a .keras file, or data/random_weights.txt."),
        ("./models/vae.keras", "a copy: DVC removes this file before it trains."),
    ],
)
def test_a_wrong_path_of_initial_weights_is_refused(file: Path, path: str, allowed: str) -> None:
    message = refusal(file, with_value("train.initial_weights", path))
    assert message == f"train.initial_weights is {path!r}, but must be {allowed}"


def test_every_other_option_is_a_number_or_one_of_some_words() -> None:
    words = {key for key, field in FIELDS.items() if get_origin(field.annotation) is Literal}
    assert words | NUMERIC.keys() == FIELDS.keys() - OTHERS


@pytest.mark.parametrize("extreme", [-(10**12), 10**12])
def test_every_number_is_limited(file: Path, extreme: int) -> None:
    for key in NUMERIC:
        assert refusal(file, with_value(key, extreme)).startswith(f"{key} is {extreme}, but must be ")
    assert refusal(file, PARAMS | {"seed": extreme}).startswith(f"seed is {extreme}, but must be ")


LIMITS: dict[str, list[tuple[float, float]]] = {
    "seed": [(0, -1), (2**32 - 1, 2**32)],
    "share": [(1e-9, 0), (1, 1.01)],
    "validation_size": [(1e-9, 0), (100_000_000, 100_000_001)],
    "test_size": [(1e-9, 0), (100_000_000, 100_000_001)],
    "latent_dim": [(1, 0), (1024, 1025)],
    "dropout": [(0, -0.01), (0.99, 1)],
    "epsilon_std": [(0, -0.01), (100, 100.1)],
    "epochs": [(1, 0), (100_000, 100_001)],
    "batch_size": [(1, 0), (1_000_000, 1_000_001)],
    "learning_rate": [(1e-9, 0), (1000, 1000.1)],
    "warmup": [(0, -0.01), (0.99, 1)],
    "patience": [(1, 0), (100_000, 100_001)],
    "samples": [(1, 0), (1_000_000, 1_000_001)],
    "tsne_points": [(50, 49), (100_000_000, 100_000_001)],
    "perplexity": [(2, 1.9)],
    "prior_samples": [(1, 0), (400, 401)],
    "principal_components": [(1, 0), (1_000_000, 1_000_001)],
    "mixture_components": [(1, 0), (100, 101)],
}
"""The last value within each limit and the first beyond it, by the option's name in any section."""


def test_the_limits_are_accepted_and_the_values_beyond_them_refused(file: Path) -> None:
    names = {key: key.rpartition(".")[2] for key in ["seed", *NUMERIC]}
    assert LIMITS.keys() <= set(names.values())
    for key, name in names.items():
        section = key.rpartition(".")[0]
        params = with_value("visualize.perplexity", 2)  # fits the smallest number of points
        for within, beyond in LIMITS.get(name, []):
            (params[section] if section else params)[name] = within
            validate(write(file, params), SECTIONS, others="forbid")
            (params[section] if section else params)[name] = beyond
            assert refusal(file, params).startswith(f"{key} is {beyond}, but must be ")


@pytest.mark.parametrize(("points", "limit"), [(10_000, 3333), (50, 16.3333)])
def test_the_perplexity_is_limited_by_the_number_of_points(file: Path, points: int, limit: float) -> None:
    params = with_value("visualize.tsne_points", points)
    params["visualize"]["perplexity"] = limit - 0.001
    validate(write(file, params), SECTIONS, others="forbid")
    params["visualize"]["perplexity"] = limit + 0.001
    assert refusal(file, params) == (
        f"visualize.perplexity is {limit + 0.001}, but must be at most {limit}, as visualize.tsne_points is {points}."
    )


def test_a_wrong_number_of_points_does_not_limit_the_perplexity(file: Path) -> None:
    assert refusal(file, with_value("visualize.tsne_points", "all")).startswith("visualize.tsne_points is 'all', ")


def valid(section: type[Section]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw values within the limits of each option of a section."""
    options: dict[str, st.SearchStrategy[Any]] = {
        name: st.from_type(Annotated[(field.annotation, "within", *field.metadata)])  # type: ignore[arg-type]
        for name, field in section.model_fields.items()
    }
    return st.fixed_dictionaries(options | {name: OWN[name] for name in options.keys() & OWN.keys()}).map(
        with_enough_points
    )


PATHS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda path: bool(path.strip()) and not path.startswith("~")
)
SIZES = st.floats(0, 1, exclude_min=True, allow_subnormal=False) | st.integers(1, 10**8)
OWN: dict[str, st.SearchStrategy[Any]] = {
    "dataset": PATHS,
    "initial_weights": st.sampled_from(["data/random_weights.txt", "start.keras", "/a b/é.keras"]),
    "validation_size": SIZES,
    "test_size": SIZES,
    "image_size": st.none() | st.lists(st.integers(8, 256), min_size=2, max_size=2),
}
"""The values of options that are not limited by their types and numbers only."""


def with_enough_points(values: dict[str, Any]) -> dict[str, Any]:
    """Lower the perplexity to the only limit that depends on another option."""
    if "perplexity" in values:
        values["perplexity"] = min(values["perplexity"], (values["tsne_points"] - 2) / 3)
    return values


@settings(max_examples=30, deadline=None)
@given(st.fixed_dictionaries({name: valid(section) for name, section in BY_NAME.items()}), st.integers(0, 2**32 - 1))
def test_values_within_the_limits_are_read_as_they_are(file: Path, params: dict[str, Any], seed: int) -> None:
    found = validate(write(file, params | {"seed": seed}), SECTIONS, others="forbid")
    assert found.model_dump(mode="json") == params | {"seed": seed}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([*FIELDS]), VALUES)
def test_any_value_of_any_option_is_read_as_it_is_or_refused(file: Path, key: str, value: Any) -> None:
    section, _, name = key.partition(".")
    found = section_or_refusal(write(file, with_value(key, value)), BY_NAME[section])
    if isinstance(found, InputError):
        assert str(found).startswith(f"{file}: {section}.")
        assert str(found).isprintable()
    else:
        assert found.model_dump(mode="json")[name] == value


def section_or_refusal(file: Path, section: type[Section]) -> Section | InputError:
    try:
        return load_settings(section, path=file)[1]
    except InputError as refused:
        return refused


PREPARE = {
    "a share of 1": ("validation_size", 1.5, "must be a whole number of images, or a share below 1."),
    "a size of no images": ("test_size", 0, "must be greater than 0."),
    "sizes as text": ("test_size", "15%", "must be a valid number."),
    "an empty path": ("dataset", " ", "must be a name or a path."),
    "no path": ("dataset", None, "must be a valid string."),
    "a number": ("dataset", 5, "must be a valid string."),
    "a line break": ("dataset", "a\nb", "must be a name or a path."),
    "the home folder": ("dataset", "~/photos", "must be a path without ~, which DVC does not expand."),
    "a side too short": ("image_size", [7, 64], "must be null, or [height, width] with integers from 8 to 256."),
    "a side too long": ("image_size", [64, 257], "must be null, or [height, width] with integers from 8 to 256."),
    "one side": ("image_size", 64, "must be null, or [height, width] with integers from 8 to 256."),
    "three sides": ("image_size", [64, 64, 3], "must be null, or [height, width] with integers from 8 to 256."),
    "sides that are no integers": ("image_size", [64.0, True], "must be null, or [height, width] with integers from "),
    "two channels": ("channels", 2, "must be 1 or 3."),
    "another fit": ("fit", "padding", "must be 'pad', 'crop' or 'stretch'."),
    "a word for truth": ("skip_unreadable", "yes", "must be a valid boolean."),
}


@pytest.mark.parametrize(("key", "value", "allowed"), PREPARE.values(), ids=PREPARE)
def test_a_wrong_option_of_prepare_is_refused(file: Path, key: str, value: Any, allowed: str) -> None:
    message = refusal(file, with_value(f"prepare.{key}", value))
    assert message.startswith(f"prepare.{key} is {value!r}, but {allowed}")


def test_the_names_of_data_sets_are_the_ones_in_the_catalogue() -> None:
    assert tuple(SOURCES) == NAMES


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("dataset", [*NAMES, "photos", "./photos", "data/raw/photos", "a.npz", "my photos", "数"])
def test_a_name_and_a_path_that_exists_are_accepted(place: Path, dataset: str) -> None:
    if dataset not in NAMES:
        (place / dataset).mkdir(parents=True)
        require_data_set(str(place / dataset))
    require_data_set(dataset)


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        ("mnits", "but there is no such file or folder; did you mean mnist?"),
        ("Fashion-MNIST", "but there is no such file or folder; did you mean fashion_mnist?"),
        ("photos", "but there is no such file or folder; names are mnist, fashion_mnist, kmnist."),
        (".", "but must not contain the pipeline's own data."),
        ("data", "but must not contain the pipeline's own data."),
        ("data/prepared", "but must not contain the pipeline's own data/prepared."),
        ("..", "but must not contain the pipeline's own data."),
        ("link", "but must not contain the pipeline's own data."),
    ],
)
def test_another_name_or_path_is_refused(place: Path, dataset: str, reason: str) -> None:
    (place / "data/prepared").mkdir(parents=True)
    (place / "link").symlink_to(place)
    with pytest.raises(InputError) as refused:
        require_data_set(dataset)
    assert str(refused.value) == f"prepare.dataset is {dataset!r}, {reason}"
