"""The formats of raw data, each a function that reads a folder. A new format is one module and one line here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from vae.data.formats.dataset import DataSet
from vae.data.formats.idx import read_idx

Reader = Callable[[Path], DataSet]

FORMATS: Mapping[str, Reader] = MappingProxyType({"idx": read_idx})
"""The function that reads a folder of files in each format, by the format's name."""
