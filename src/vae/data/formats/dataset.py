"""What every format of raw data is read from and into."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class File(NamedTuple):
    """A file of a data set."""

    path: Path
    """Where it was found, for messages."""
    contents: bytes
    """What it contains, unpacked."""


class Part(NamedTuple):
    """The training or the test part of a data set."""

    images: NDArray[np.uint8]
    """(n, height, width) or (n, height, width, channels), levels from 0 to 255."""
    labels: NDArray[np.uint8] | None
    """(n,), indices into the class names; None without labels."""


class DataSet(NamedTuple):
    """A data set as published."""

    train: Part
    test: Part
    class_names: tuple[str, ...]
    """Empty without labels."""
