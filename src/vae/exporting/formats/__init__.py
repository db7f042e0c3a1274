"""The formats of exported models. A new one is one module and one line here."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from vae.exporting.endpoints import Endpoint, Run
from vae.exporting.formats import litert, onnx, saved_model


class Format(Protocol):
    """How an endpoint is written, and how the file is run without Keras."""

    SUFFIX: str
    """The end of a file's name; empty for a folder."""

    def write(self, endpoint: Endpoint, path: Path) -> None:
        """Write the endpoint into a new file or folder.

        Raises:
            InputError: a package that the format needs is not installed.
        """

    def load(self, path: Path) -> Run:
        """Return the function in a file that `write` wrote.

        Raises:
            InputError: as in `write`.
        """


FORMATS: Mapping[str, Format] = MappingProxyType({"onnx": onnx, "litert": litert, "saved_model": saved_model})
