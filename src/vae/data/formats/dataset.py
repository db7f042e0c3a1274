"""What every format of raw data is read from and into."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data.shards import RawImages

Pixels = NDArray[np.uint8] | NDArray[np.float32]
"""(n, height, width) or (n, height, width, channels), in memory: levels from 0 to 255, or numbers from 0 to 1."""
Labels = NDArray[np.integer[Any]]


class File(NamedTuple):
    """A file of a data set."""

    path: Path
    """Where it was found, for messages."""
    contents: bytes
    """What it contains, unpacked."""


class Part(NamedTuple):
    """The training, validation or test part of a data set."""

    images: RawImages
    labels: Labels | None
    """(n,), indices into the class names; None without labels."""


class DataSet(NamedTuple):
    """A data set as published, or as the user has it."""

    train: Part
    test: Part | None
    """None if it has no test part of its own."""
    class_names: tuple[str, ...]
    """Empty without labels."""
    validation: Part | None = None
    """None if it has no validation part of its own, as most."""
    notes: tuple[str, ...] = ()
    """What the reader left out, one sentence each."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that exist: training, validation, test."""
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)
