"""The one place where `params.yaml` is read, into typed, validated, frozen settings.

Every stage checks the whole file, so that a mistake in a later stage's section is told before training, not after.
It is then given its own section and the seed, and nothing else.
"""

import difflib
import re
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vae.errors import InputError


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
    epsilon_std: float = Field(ge=0)
    dropout: float = Field(ge=0, lt=1)
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1, le=60_000)
    optimizer: Literal["adam", "muon"]
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "constant"]
    warmup: float = Field(ge=0, lt=1)
    patience: int = Field(ge=1)
    precision: Literal["float32", "mixed_bfloat16"]


class Evaluate(Section):
    """The measurement on the test images."""

    samples: int = Field(ge=1)
    batch_size: int = Field(ge=1, le=60_000)


class Embed(Section):
    """The encoding of all images."""

    batch_size: int = Field(ge=1, le=60_000)


class Visualize(Section):
    """The pictures."""

    tsne_points: int = Field(ge=50, le=70_000)
    perplexity: float = Field(ge=2)
    prior_samples: int = Field(ge=1, le=400)


class Baseline(Section):
    """The measures of the pixels, beside those of the latent vectors."""

    principal_components: int = Field(ge=1, le=784)


class Classify(Section):
    """The classifier and its training."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1, le=60_000)
    learning_rate: float = Field(gt=0)


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
        raise InputError("\n".join(f"{path}: {_sentence(e)}" for e in error.errors())) from None
    settings: SectionType = getattr(params, section.__name__.lower())
    return settings, params.seed


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but 1e-3 is a number and a key given twice an error, as to DVC, which reads YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def _read_yaml(path: Path) -> Any:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506, a SafeLoader
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that does not exist
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold a mapping of sections ({', '.join(Params.model_fields)}).")
    return content


def _sentence(error: Any) -> str:
    """One of pydantic's errors as a sentence with the key, the value and what is allowed."""
    key, name = ".".join(map(str, error["loc"])), str(error["loc"][-1]) if error["loc"] else ""
    value, kind = error["input"], error["type"]
    if kind == "missing":
        return f"{key} is missing."
    if kind in ("extra_forbidden", "invalid_key"):
        known = list(_fields(error["loc"][:-1]))
        close = difflib.get_close_matches(name, known, n=1)
        return f"{key} is unknown; " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}.")
    if kind == "model_type":
        return f"{key} is {value!r}, but must be a section with {', '.join(_fields(error['loc']))}."
    allowed = error["msg"].removeprefix("Input should be ")
    return f"{key} is {value!r}, but must be {allowed}."


def _fields(location: tuple[int | str, ...]) -> dict[str, Any]:
    """The known keys at a place in the file."""
    model: Any = Params
    for name in location:
        model = model.model_fields[name].annotation
    fields: dict[str, Any] = model.model_fields
    return fields
