"""Generate the graph, and the tables of stages and parameters, from `dvc.yaml`, `params.yaml` and `vae.settings`."""

import json
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import create_model
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from docs.tables import ROOT, params, table
from vae.settings import Seed
from vae.settings.__main__ import SECTIONS

SEED = "Decides the split, the initial weights, the order of the images, all noise and the maps."
LIMITS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}
Stages = dict[str, dict[str, Any]]


def graph() -> str:
    """Return the pipeline as a Mermaid graph, without the arrows that follow from others."""
    lines = ["    raw[(images)] --> prepare"]
    after = followers(stages())
    for name, following in after.items():
        indirect = {last for middle in following for last in reachable(after, [middle]) - {middle}}
        if direct := [stage for stage in following if stage not in indirect]:
            lines.append(f"    {name} --> {' & '.join(direct)}")
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def stage_table() -> str:
    """Return the table of the stages: what each does, and the files that it writes."""
    rows = [
        (f"`{name}`", stage["desc"], "<br>".join(f"`{path}`" for path in outputs(stage)))
        for name, stage in stages().items()
    ]
    return table(("stage", "what it does", "what it writes"), rows)


def parameters() -> str:
    """Return the table of all parameters, with the stages that a change of each reruns."""
    defaults, all_stages = params(), stages()
    seed = create_model("SeedOnly", seed=(Seed, ...)).model_fields["seed"]
    rows = [("`seed`", f"`{defaults['seed']}`", SEED, allowed(seed), shown(reruns(all_stages, "seed"), all_stages))]
    for section in SECTIONS:
        name = section.__name__.lower()
        rerun = shown(reruns(all_stages, name), all_stages)
        for key, field in section.model_fields.items():
            default = f"`{yaml_word(defaults[name][key])}`"
            rows.append((f"`{name}.{key}`", default, str(field.description), allowed(field), rerun))
    return table(("parameter", "default", "what it does", "allowed", "a change reruns"), rows)


def yaml_word(value: Any) -> str:
    """Return a value as YAML writes it."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def allowed(field: FieldInfo) -> str:
    """Return the values that a setting may take, as text."""
    annotation = field.annotation
    if get_origin(annotation) in (Union, UnionType):  # with None
        annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
        inner = FieldInfo.merge_field_infos(field, annotation=annotation)
        return f"{allowed(inner)}, or `null`"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        first, *others = (FieldInfo.from_annotation(kind) for kind in get_args(annotation))
        return f"[{', '.join(['x'] * (1 + len(others)))}] with x {allowed(first)}"
    if annotation in (bool, str):
        return "`true`, `false`" if annotation is bool else "text"
    kind = "integer" if field.annotation is int else "number"
    limits = {
        word: f"{getattr(limit, attribute):,}"
        for limit in field.metadata
        for cls, (attribute, word) in LIMITS.items()
        if isinstance(limit, cls)
    }
    if set(limits) == {"at least", "at most"}:
        return f"{kind} from {limits['at least']} to {limits['at most']}"
    return " ".join([kind, " and ".join(f"{word} {limit}" for word, limit in limits.items())]).strip()


def reruns(all_stages: Stages, section: str) -> set[str]:
    """Return the stages that depend on a section of `params.yaml`, directly or through the outputs of others."""
    return reachable(followers(all_stages), [name for name, stage in all_stages.items() if section in stage["params"]])


def shown(some: Collection[str], all_stages: Stages) -> str:
    """Return the names of the stages in the order of the pipeline, or `all`."""
    return "all" if set(some) == set(all_stages) else ", ".join(name for name in all_stages if name in some)


def followers(all_stages: Stages) -> dict[str, list[str]]:
    """Return, for each stage, the stages that read an output of it."""
    return {
        name: [
            other
            for other, reader in all_stages.items()
            if any(overlap(output, dep) for output in outputs(stage) for dep in reader["deps"])
        ]
        for name, stage in all_stages.items()
    }


def reachable(after: dict[str, list[str]], starts: Collection[str]) -> set[str]:
    """Return the given stages and all that follow them."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += after[name]
    return found


def outputs(stage: dict[str, Any]) -> Iterator[str]:
    """Yield the paths that a stage writes; an entry with options is a mapping from the path to them."""
    for kind in ("outs", "metrics", "plots"):
        for entry in stage.get(kind, []):
            yield from [entry] if isinstance(entry, str) else entry


def overlap(first: str, second: str) -> bool:
    """Return whether one path is the other, or a folder that contains it."""
    a, b = PurePosixPath(first), PurePosixPath(second)
    return a.is_relative_to(b) or b.is_relative_to(a)


def stages() -> Stages:
    """Return the stages in `dvc.yaml`."""
    content: Stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    return content
