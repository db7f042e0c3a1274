"""The formats of a user's own data. A new format is one module and one line here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from vae.data.formats.dataset import DataSet
from vae.data.formats.folder import read_folder
from vae.data.formats.idx_folder import is_idx, read_idx_folder
from vae.data.formats.npz import is_npz, read_npz
from vae.data.formats.options import Options


class Format(NamedTuple):
    """One way to keep a data set in a file or a folder."""

    recognizes: Callable[[Path], bool]
    read: Callable[[Path, Options], DataSet]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "npz": Format(is_npz, read_npz),
        "idx": Format(is_idx, read_idx_folder),
        "images": Format(Path.is_dir, read_folder),
    }
)
"""The formats by name. The first that recognizes a path reads it."""
