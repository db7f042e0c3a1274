"""What a card is about: a model, the run that made it, and its images."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from vae.card.data_sets import PUBLISHED, DataSet
from vae.card.model_file import ModelFile
from vae.card.protocols import PROTOCOLS
from vae.card.run import Run
from vae.settings.train import RANDOM_WEIGHTS

SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})


class Subject(NamedTuple):
    """All that a card says follows from this."""

    model: ModelFile
    run: Run
    data: DataSet
    license: str
    """The identifier of the model's licence."""

    @property
    def own_images(self) -> bool:
        """Whether the images are the user's own."""
        return self.run.params["prepare"]["dataset"] not in PUBLISHED

    @property
    def conditional(self) -> bool:
        """Whether the model sees the labels."""
        return bool(self.model.config.get("conditional", False))

    @property
    def size(self) -> str:
        """The size of the images, for people."""
        height, width, channels = self.model.config["image_shape"]
        return f"{height} × {width} pixels, {'grey' if channels == 1 else 'colour'}"

    @property
    def bounds(self) -> dict[str, dict[str, Any]]:
        """The bounds on the likelihood of the test images, by protocol."""
        return {name: part for name, part in self.run.results["evaluate"].items() if name in PROTOCOLS}

    @property
    def test_images(self) -> int:
        """The number of test images."""
        return int(next(iter(self.bounds.values()))["images"])

    def left_out(self, stage: str) -> str:
        """Return why the results of a stage are left out, or the empty string."""
        return str(self.run.results[stage].get("left_out", ""))


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (header, ["---"] * len(header), *rows))


def plain(text: str) -> str:
    """Return a name so that Markdown shows it as it is, in one line."""
    return "".join(c if c.isprintable() else " " for c in text).translate(SPECIAL)


def with_error(results: Mapping[str, Any], name: str, decimals: int = 2) -> str:
    """Return a result and its standard error, as text."""
    return f"{results[name]:.{decimals}f} ± {results['standard_error'][name]:.{decimals}f}"


def shown_value(section: str, key: str, value: Any) -> str:
    """Return the value of a parameter as a card shows it: without paths, which may name people and machines."""
    if (section, key) == ("prepare", "dataset"):
        return f"`{value}`" if value in PUBLISHED else "own images"
    if value == RANDOM_WEIGHTS:
        return "none"
    if isinstance(value, str) and ("/" in value or "\\" in value or value.endswith(".keras")):
        return "a file"
    if value is None or isinstance(value, bool):
        return f"`{ {None: 'null', True: 'true', False: 'false'}[value] }`"
    return f"`{value}`"
