"""The one place where `params.yaml` is read, into typed, validated, frozen settings.

Every stage checks the whole file, so that a mistake in a later stage's section is told before training, not after.
It is then given its own section and the seed, and nothing else.
"""

import difflib
import math
import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from vae.errors import InputError, run_stage


class Section(BaseModel):
    """Common to all sections: unknown keys, silent conversions and infinities are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Prepare(Section):
    """Which images, and how they are split."""

    dataset: Literal["mnist", "fashion_mnist", "kmnist"]
    share: float = Field(gt=0, le=1)
    validation_size: int = Field(ge=10, le=59_990)


class Train(Section):
    """The model and its training."""

    latent_dim: int = Field(ge=1, le=1024)
    epsilon_std: float = Field(ge=0, le=100)
    dropout: float = Field(ge=0, lt=1)
    epochs: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=60_000)
    optimizer: Literal["adam", "muon"]
    learning_rate: float = Field(gt=0, le=1000)
    schedule: Literal["trapezoid", "cosine", "constant"]
    warmup: float = Field(ge=0, lt=1)
    patience: int = Field(ge=1, le=100_000)
    precision: Literal["float32", "mixed_bfloat16"]


class Evaluate(Section):
    """The measurement on the test images."""

    samples: int = Field(ge=1, le=1_000_000)
    batch_size: int = Field(ge=1, le=60_000)


class Embed(Section):
    """The encoding of all images."""

    batch_size: int = Field(ge=1, le=60_000)


class Visualize(Section):
    """The pictures."""

    tsne_points: int = Field(ge=50, le=70_000)
    perplexity: float = Field(ge=2)
    prior_samples: int = Field(ge=1, le=400)

    @field_validator("perplexity")
    @classmethod
    def _fits_the_points(cls, perplexity: float, fields: ValidationInfo) -> float:
        points = fields.data.get("tsne_points", math.inf)  # absent if it is wrong itself
        if 3 * perplexity > points - 1:  # t-SNE looks at that many neighbours of each point
            limit = f"Input should be at most {(points - 1) / 3:.6g}, as visualize.tsne_points is {points}"
            raise PydanticCustomError("perplexity", limit)
        return perplexity


class Baseline(Section):
    """The measures of the pixels, beside those of the latent vectors."""

    principal_components: int = Field(ge=1, le=784)


class Classify(Section):
    """The classifier and its training."""

    epochs: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=60_000)
    learning_rate: float = Field(gt=0, le=1000)


class Score(Section):
    """The comparison of generated images with test images."""

    mixture_components: int = Field(ge=1, le=100)
    batch_size: int = Field(ge=1, le=60_000)


class Params(Section):
    """The whole of `params.yaml`."""

    seed: int = Field(ge=0, lt=2**32)
    prepare: Prepare
    train: Train
    evaluate: Evaluate
    embed: Embed
    visualize: Visualize
    baseline: Baseline
    classify: Classify
    score: Score


SHORT = reprlib.Repr()  # aliases can make a value endless
SHORT.maxlevel = 2
UNKNOWN = ("extra_forbidden", "invalid_key")  # what pydantic calls keys that are none of ours
SectionType = TypeVar("SectionType", bound=Section)


def load_settings(section: type[SectionType], path: Path | str = "params.yaml") -> tuple[SectionType, int]:
    """One stage's validated settings and the seed.

    Args:
        section: the class of the stage's section, `Train` say.
        path: the YAML file with all sections.

    Raises:
        InputError: one sentence for each mistake in the file, each with its key, the value and what is allowed.
    """
    try:
        params = Params.model_validate(_read_yaml(Path(path)))
    except ValidationError as error:
        raise InputError("\n".join(f"{path}: {sentence}" for sentence in _sentences(error.errors()))) from None
    settings: SectionType = getattr(params, section.__name__.lower())
    return settings, params.seed


def main() -> None:
    """What `make params` runs: tells the mistakes in `params.yaml`, if there are any."""
    load_settings(Prepare)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but values are read as in YAML 1.2, as DVC does: 1e-3 is a number, 010 is not eight.

    A key given twice is an error, and so is any tag: parameters are plain numbers and words.
    """

    def fetch_tag(self) -> None:
        raise yaml.scanner.ScannerError(None, None, "a tag (!…) has no place here", self.get_mark())

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: list[Any] = []
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in keys:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            keys.append(key)
        return super().construct_mapping(node, deep)


# The core schema of YAML 1.2, without its integers in other bases: the first that fits a plain value is its type.
_Loader.yaml_implicit_resolvers = {}
for _type, _pattern in {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(0|[1-9]\d*)",
    "float": r"[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_type}", re.compile(f"({_pattern})$", re.ASCII), None)


def _read_yaml(path: Path) -> dict[Any, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506, a SafeLoader
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise InputError(f"{path} is not valid YAML: {error.problem}{place}.") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply: it must hold a mapping of sections.") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or an integer of thousands of digits
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold a mapping of sections ({', '.join(Params.model_fields)}).")
    return content


def _sentences(errors: list[Any]) -> list[str]:
    """Each of pydantic's errors as a sentence. A key that is missing because it is misspelt is one mistake, not two."""
    meant = {(*error["loc"][:-1], close) for error in errors if (close := _meant(error))}
    return [_sentence(error) for error in errors if error["type"] != "missing" or error["loc"] not in meant]


def _sentence(error: Any) -> str:
    """One of pydantic's errors as a sentence with the key, the value and what is allowed."""
    key, kind = ".".join(map(_printable, error["loc"])), error["type"]
    value = SHORT.repr(error["input"])
    if kind == "missing":
        return f"{key} is missing."
    if kind in UNKNOWN:
        close = _meant(error)
        known = ", ".join(_fields(error["loc"][:-1]))
        return f"{key} is unknown; " + (f"did you mean {close}?" if close else f"known are {known}.")
    if kind == "model_type":
        return f"{key} is {value}, but must be a section with {', '.join(_fields(error['loc']))}."
    allowed = error["msg"].removeprefix("Input should be ")
    return f"{key} is {value}, but must be {allowed}."


def _meant(error: Any) -> str | None:
    """The known key that is nearest to an unknown one, if any is near."""
    if error["type"] not in UNKNOWN:
        return None
    *section, name = error["loc"]
    return next(iter(difflib.get_close_matches(str(name).lower(), _fields(section), n=1)), None)


def _printable(key: int | str) -> str:
    return key if isinstance(key, str) and key.isprintable() and key else repr(key)


def _fields(location: Sequence[int | str]) -> dict[str, Any]:
    """The known keys at a place in the file."""
    model: Any = Params
    for name in location:
        model = model.model_fields[name].annotation
    fields: dict[str, Any] = model.model_fields
    return fields


if __name__ == "__main__":
    run_stage(main)
