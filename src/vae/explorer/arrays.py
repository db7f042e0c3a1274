"""Arrays as one compressed text in a page, which its script finds by their names."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 2**16 - 1
"""The steps between the smallest and the largest value of a quantized dimension."""


class PackedArrays:
    """Arrays one after the other, and a description of where each is."""

    def __init__(self) -> None:
        self.description: dict[str, dict[str, Any]] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, name: str, array: NDArray[Any], **more: Any) -> None:
        """Append an array of uint8, uint16 or float32, with more entries for its description."""
        part = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        part += bytes(-len(part) % 4)  # typed arrays start at multiples of the size of their numbers
        entry = {"type": array.dtype.name, "start": self._size, "length": array.size, "shape": list(array.shape)}
        self.description[name] = entry | more
        self._parts.append(part)
        self._size += len(part)

    def add_points(self, name: str, points: NDArray[np.floating[Any]]) -> None:
        """Append points (n, dimensions), quantized to 16-bit steps over the range of each dimension.

        The error is at most 1/131,070 of that range. The result is half as large as in float32.
        """
        low, high = (np.asarray(end(points, axis=0), np.float64) for end in (np.min, np.max))
        step = (high - low) / STEPS
        steps = np.rint((points - low) / np.where(step > 0, step, 1)).astype(np.uint16)
        self.add(name, steps, low=low.tolist(), step=step.tolist())

    def text(self) -> str:
        """Return the arrays, compressed by zlib, in base64."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode("ascii")
