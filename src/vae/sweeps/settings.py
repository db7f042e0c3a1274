"""The file of a sweep, `sweep.yaml`: its settings, and the trials that they ask for."""

import itertools
import math
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from vae.errors import InputError
from vae.settings import Section
from vae.settings.loader import validate

DIGITS = 6
"""Significant digits of a number that is drawn from a range."""
MOST_TRIALS = 10_000
RANGES = ("uniform", "log_uniform", "integers")
ALLOWED = "Input should be a list of values, or one of {uniform: [low, high]}, {log_uniform: …} and {integers: …}"


def _values_or_range(asked: Any) -> Any:
    """Refuse what is neither a list of values nor a range from one number to a larger one."""
    if isinstance(asked, list) and asked:
        return asked
    if not isinstance(asked, dict) or len(asked) != 1 or next(iter(asked)) not in RANGES:
        raise PydanticCustomError("values", ALLOWED)
    ((kind, ends),) = asked.items()
    types = (int,) if kind == "integers" else (int, float)
    numbers = isinstance(ends, list) and len(ends) == 2 and all(type(end) in types for end in ends)
    if not numbers or not all(map(math.isfinite, ends)) or ends[0] >= ends[1]:
        what = "whole numbers" if kind == "integers" else "numbers"
        raise PydanticCustomError("range", f"Input should be {{{kind}: [low, high]}} with two {what}, low below high")
    if kind == "log_uniform" and ends[0] <= 0:
        raise PydanticCustomError("range", "Input should be {log_uniform: [low, high]} with both above 0")
    return asked


INCOMPARABLE = {
    *("model.likelihood", "model.conditional", "train.epsilon_std"),
    *("prepare.dataset", "prepare.image_size", "prepare.channels", "prepare.fit"),
    *("prepare.share", "prepare.validation_size", "prepare.test_size"),
}
"""Keys that decide what the validation loss measures, and on which images."""


class Sweep(Section):
    """The trials of a sweep, and how they are run."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$",
        description="The experiments are named after it: `name-1`, `name-2` and so on.",
    )
    vary: dict[str, Annotated[Any, BeforeValidator(_values_or_range)]] = Field(
        description="What to vary, by dotted key of `params.yaml`: a list of values, of which all combinations are "
        "run; or a range, `uniform`, `log_uniform` or `integers`, from which values are drawn."
    )
    trials: int = Field(
        default=1, ge=1, le=MOST_TRIALS, description="Draws from the ranges for each combination of the lists."
    )
    fixed: dict[str, Any] = Field(default={}, description="Other changes of `params.yaml`, the same in all trials.")
    stages: list[str] = Field(
        default=["evaluate"], min_length=1, description="The stages to run, with the stages that they depend on."
    )
    workers: int = Field(default=2, ge=1, le=10_000, description="Trials that run at the same time.")
    threads: int | None = Field(
        default=None, ge=1, le=10_000, description="Cores of each trial; `null` divides the machine's equally."
    )
    gpus: float = Field(default=0, ge=0, le=1000, description="GPUs of each trial; below 1, several share one.")
    reduction_factor: float | None = Field(
        default=None,
        gt=1,
        le=1000,
        description="ASHA lets about one trial in so many pass each of its checks; `null` stops no trial.",
    )
    grace_period: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="Epochs before ASHA's first check. Each later one comes after `reduction_factor` times as many.",
    )

    @field_validator("vary")
    @classmethod
    def _varies_something(cls, vary: dict[str, Any]) -> dict[str, Any]:
        if not vary:
            raise PydanticCustomError("empty", "Input should be a mapping from keys of params.yaml to values or ranges")
        return vary


class Trial(NamedTuple):
    """A trial of a sweep."""

    name: str
    """The name of its experiment."""
    settings: dict[str, Any]
    """What it changes in `params.yaml`, by dotted key: the values that vary, then the fixed ones."""
    varied: tuple[str, ...]
    """The keys that vary."""

    def description(self) -> str:
        """Return the values that vary, for a line of output."""
        return ", ".join(f"{key}={self.settings[key]}" for key in self.varied)


def read_sweep(path: Path) -> tuple[Sweep, list[Trial]]:
    """Return the settings of the sweep and its trials. Equal files give equal trials.

    Raises:
        InputError: the file cannot be read or contains errors, one line for each.
    """
    content = validate(path, [Sweep], others="forbid")
    sweep: Sweep = content.sweep
    if both := sorted(sweep.vary.keys() & sweep.fixed.keys()):
        raise InputError(f"{path}: {both[0]} is in sweep.vary and in sweep.fixed, but must be in only one of them.")
    if apart := sorted(INCOMPARABLE & sweep.vary.keys()):
        raise InputError(
            f"{path}: sweep.vary has {apart[0]}, but validation losses with different values of it cannot be compared: "
            "set it in sweep.fixed, and make a sweep for each value."
        )
    lists = {key: asked for key, asked in sweep.vary.items() if isinstance(asked, list)}
    if sweep.trials > 1 and len(lists) == len(sweep.vary):
        raise InputError(
            f"{path}: sweep.trials is {sweep.trials}, but sweep.vary has no range to draw from: remove it."
        )
    count = math.prod(map(len, lists.values())) * sweep.trials
    if count > MOST_TRIALS:
        raise InputError(f"{path}: sweep.vary asks for {count:,} trials, but must ask for at most {MOST_TRIALS:,}.")
    rng = np.random.default_rng(content.seed)
    trials: list[Trial] = []
    for combination in itertools.product(*lists.values()):
        for _ in range(sweep.trials):
            chosen = dict(zip(lists, combination, strict=True))
            varied = {key: chosen[key] if key in lists else _draw(rng, asked) for key, asked in sweep.vary.items()}
            name = f"{sweep.name}-{len(trials) + 1:0{len(str(count))}}"
            trials.append(Trial(name, varied | sweep.fixed, tuple(varied)))
    return sweep, trials


def _draw(rng: np.random.Generator, asked: dict[str, list[float]]) -> int | float:
    """Return a number from a range; both ends of `integers` belong to it."""
    ((kind, (low, high)),) = asked.items()
    if kind == "integers":
        return int(rng.integers(int(low), int(high), endpoint=True))
    value = rng.uniform(low, high) if kind == "uniform" else math.exp(rng.uniform(math.log(low), math.log(high)))
    return float(f"{value:.{DIGITS}g}")
