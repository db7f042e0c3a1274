"""The loader of `params.yaml`, the only place where it is read: into typed, validated, frozen settings."""

import difflib
import reprlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

from pydantic import ConfigDict, ValidationError, create_model
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vae.errors import InputError
from vae.settings import Section, Seed

MAX_LENGTH = 2**14
"""The largest number of characters in the file. Some 30,000 nested brackets overflow the stack of ruamel's C parser."""
UNKNOWN = ("extra_forbidden", "invalid_key")
"""Pydantic's types of error for an unknown key."""
SHORT = reprlib.Repr()
"""Abbreviates values, which YAML aliases can make endless."""
SHORT.maxlevel = 2

First = TypeVar("First", bound=Section)
Second = TypeVar("Second", bound=Section)


@overload
def load_settings(first: type[First], /, *, path: Path | str = ...) -> tuple[int, First]: ...
@overload
def load_settings(
    first: type[First], second: type[Second], /, *, path: Path | str = ...
) -> tuple[int, First, Second]: ...
def load_settings(*sections: type[Section], path: Path | str = "params.yaml") -> tuple[Any, ...]:
    """Return the seed and the validated settings of the given sections.

    A stage asks for its own sections only, so that it does not depend on the others. `python -m vae.settings` checks
    the whole file.

    Args:
        *sections: the classes of the sections, for example `Model, Train`.
        path: the YAML file.

    Raises:
        InputError: the file cannot be read, or these sections contain errors: one line for each, with the key, the
            value and what is allowed.
    """
    params = validate(path, sections, others="ignore")
    return (params.seed, *(getattr(params, section.__name__.lower()) for section in sections))


def validate(path: Path | str, sections: Sequence[type[Section]], others: Literal["ignore", "forbid"]) -> Any:
    """Return an object with the seed and the sections of the file as attributes.

    Args:
        path: the YAML file.
        sections: their classes.
        others: whether other keys at the top level are ignored or are errors.

    Raises:
        InputError: as in `load_settings`.
    """
    fields: dict[str, Any] = {section.__name__.lower(): section for section in sections}
    config = ConfigDict(**{**Section.model_config, "extra": others})
    model = create_model("Params", __config__=config, seed=Seed, **fields)
    try:
        return model.model_validate(_read_yaml(Path(path), model.model_fields))
    except ValidationError as error:
        sentences = _sentences(error.errors(), model)
        raise InputError("\n".join(f"{path}: {sentence}" for sentence in sentences)) from None


def _read_yaml(path: Path, sections: Iterable[str]) -> dict[Any, Any]:
    """Return the mapping in the file, parsed as DVC parses it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start + 1}).") from None
    if len(text) > MAX_LENGTH:
        raise InputError(f"{path} has more than {MAX_LENGTH} characters.")
    try:
        content = YAML(typ="safe").load(text)
    except Exception as error:  # a value that does not fit its tag raises any kind, such as KeyError for `!!bool x`
        raise InputError(f"{path} is not valid YAML: {_reason(error)}.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must contain a mapping of sections ({', '.join(sections)}).")
    return content


def _reason(error: Exception) -> str:
    """Return what ruamel reports, in one line."""
    if isinstance(error, DuplicateKeyError):
        what = error.problem.partition(" with value")[0]
    elif isinstance(error, MarkedYAMLError):
        what = error.problem or error.context
    elif isinstance(error, YAMLError):
        what = str(error)
    else:
        what = f"it contains a value that cannot be read ({type(error).__name__}: {error})"
    mark = isinstance(error, MarkedYAMLError) and (error.problem_mark or error.context_mark)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    line = " ".join(what.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line) + place


def _sentences(errors: list[Any], model: Any) -> list[str]:
    """Return a sentence for each of pydantic's errors; a misspelt key is unknown, but not missing as well."""
    meant = {(*error["loc"][:-1], close) for error in errors if (close := _meant(error, model))}
    return [_sentence(error, model) for error in errors if error["type"] != "missing" or error["loc"] not in meant]


def _sentence(error: Any, model: Any) -> str:
    """Return one of pydantic's errors as a sentence with the key, the value and what is allowed."""
    key, kind = ".".join(map(_printable, error["loc"])), error["type"]
    value = _short(error["input"])
    if kind == "missing":
        return f"{key} is missing."
    if kind in UNKNOWN:
        close = _meant(error, model)
        known = ", ".join(_fields(error["loc"][:-1], model))
        return f"{key} is unknown; " + (f"did you mean {close}?" if close else f"known are {known}.")
    if kind == "model_type":
        return f"{key} is {value}, but must be a section with {', '.join(_fields(error['loc'], model))}."
    allowed = error["msg"].removeprefix("Input should be ")
    return f"{key} is {value}, but must be {allowed}."


def _meant(error: Any, model: Any) -> str | None:
    """Return the known key that is nearest to an unknown one, if any is near."""
    if error["type"] not in UNKNOWN:
        return None
    *section, name = error["loc"]
    return next(iter(difflib.get_close_matches(str(name).lower(), _fields(section, model), n=1)), None)


def _short(value: Any) -> str:
    try:
        return SHORT.repr(value)
    except ValueError:  # Python refuses to print an integer of more than 4,300 digits
        return "a number of thousands of digits"


def _printable(key: int | str) -> str:
    return key if isinstance(key, str) and key.isprintable() and key else repr(key)


def _fields(location: Sequence[int | str], model: Any) -> dict[str, Any]:
    """Return the known keys at a place in the file."""
    for name in location:
        model = model.model_fields[name].annotation
    fields: dict[str, Any] = model.model_fields
    return fields
