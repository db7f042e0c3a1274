"""Generate the tables of docs/sweeps.md."""

from docs.pipeline_tables import allowed, yaml_word
from docs.tables import report, table
from vae.sweeps.settings import Sweep

KINDS = {"vary": "a list of values or a range for each key", "fixed": "a value for each key", "stages": "names"}
"""What the mappings and lists take."""


def fields() -> str:
    """Return the table of the settings of a sweep."""
    rows = []
    for key, field in Sweep.model_fields.items():
        default = "" if field.is_required() else f"`{yaml_word(field.default)}`"
        rows.append((f"`{key}`", default, str(field.description), KINDS.get(key) or allowed(field)))
    return table(("key", "default", "what it does", "allowed"), rows)


def throughput() -> str:
    """Return the table of the speed of one and of two trainings at once."""
    speeds: dict[str, float] = report("benchmark.json")["sweep"]["images_per_second"]
    rows = [(trainings, f"{speed:,.0f}", f"{speed / speeds['1']:.2f}") for trainings, speed in speeds.items()]
    return table(("trainings at once", "images per second, together", "times one training"), rows)
