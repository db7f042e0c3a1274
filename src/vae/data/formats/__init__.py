"""The formats of raw data, each a function that reads verified files. A new format is one module and one line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vae.data.formats.dataset import DataSet, File
from vae.data.formats.idx import read_idx

Reader = Callable[[Mapping[str, File]], DataSet]

FORMATS: Mapping[str, Reader] = MappingProxyType({"idx": read_idx})
"""The function that reads the files of a data set, given by their published names, by the name of their format."""
