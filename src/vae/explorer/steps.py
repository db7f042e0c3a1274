"""TensorFlow's operations as a few kinds of steps over strided arrays, which the browser's engine interprets.

A tensor is a `View`: an array with an offset and strides, as in NumPy. Operations that only move values (slices,
transpositions, broadcasting, windows) are therefore new views, and take no step. There are four kinds of steps:

- element-wise: apply the function `op` at every index of `shape`, to one to three views;
- the same with `fold`: the target is the first operand, and does not move along the axes that are reduced;
- `Conv`: a convolution without padding, of which a matrix product is the case of images of one column;
- `Gather`: the choice of a row of a table, by a label.

In the description of a step, `to` and `from` list the arrays' numbers, and of views also the start and the strides.
`fill` is what all values of the target are set to first. Booleans are 0 and 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError

Array = NDArray[Any]
Strided = NDArray[np.uint8]
ELEMENTWISE = frozenset(
    (
        *("Abs", "AddV2", "BiasAdd", "Exp", "Expm1", "Greater", "IsFinite", "Less", "Log", "LogicalOr", "Maximum"),
        *("Minimum", "Mul", "Neg", "RealDiv", "Relu", "SelectV2", "Sigmoid", "Sign", "Softplus", "Square", "Sub"),
        "Tanh",
    )
)
"""The functions of the engine, by TensorFlow's names."""
FOLDS = {"Sum": ("AddV2", 0.0), "Max": ("Maximum", -3.4e38)}
"""Reductions: the function of the result so far and the next value, and the value to start from."""


@dataclass(frozen=True)
class View:
    """Some values of an array: `places` is a view of `base`, which has one byte for each value of the array."""

    array: int
    base: Strided
    places: Strided

    @property
    def shape(self) -> tuple[int, ...]:
        return self.places.shape

    @property
    def is_whole(self) -> bool:
        """Whether the view contains all values of the array, in its order."""
        return self.places.size == self.base.size and self.places.flags.c_contiguous

    def moved(self, places: Strided) -> "View":
        """Return another view of the same array."""
        return View(self.array, self.base, places)


class Steps:
    """The steps of one program while it is built."""

    def __init__(self, constant: Callable[[Array, bool], int]) -> None:
        self.steps: list[dict[str, Any]] = []
        self.sizes: dict[int, int] = {}
        self._constant = constant

    def new(self, *shape: int) -> View:
        """Return a new array's view. Arrays of a program have the numbers -1, -2, …, its constants others."""
        places: Strided = np.empty(shape, np.uint8)
        array = -1 - len(self.sizes)
        self.sizes[array] = places.size
        return View(array, places.reshape(-1), places)

    def constant(self, value: Array, is_kernel: bool = False) -> View:
        """Return the view of a constant."""
        places: Strided = np.empty(value.shape, np.uint8)
        return View(self._constant(value, is_kernel), places.reshape(-1), places)

    def view(self, value: "View | Array") -> View:
        """Return the view of a constant, or the view that is given."""
        return value if isinstance(value, View) else self.constant(value)

    def loop(
        self, function: str, to: View, sources: Sequence[View], fill: float | None = None, fold: bool = False
    ) -> None:
        """Add an element-wise step or a fold, over the shape of `to`, to which the sources broadcast.

        Args:
            function: one of `ELEMENTWISE`, or `Identity`.
            to: where the values go.
            sources: the operands; of a fold without the first one, which is `to`.
            fill: what the whole array of `to` is set to first.
            fold: whether the target is the first operand.
        """
        views = [to, *(source.moved(np.broadcast_to(source.places, to.shape)) for source in sources)]
        shape, strides = _collapsed(to.shape, [view.places.strides for view in views])
        starts = [view.places.ctypes.data - view.base.ctypes.data for view in views]
        operands = [list(operand) for operand in zip((view.array for view in views), starts, strides, strict=True)]
        step = {"op": function, "shape": shape, "to": operands[0], "from": operands[1:]}
        self.steps.append(step | ({} if fill is None else {"fill": fill}) | ({"fold": True} if fold else {}))

    def apply(self, function: str, *values: "View | Array") -> View:
        """Add an element-wise step, and return its result."""
        sources = [self.view(value) for value in values]
        to = self.new(*np.broadcast_shapes(*(source.shape for source in sources)))
        self.loop(function, to, sources)
        return to

    def reduce(self, name: str, source: View, axes: Sequence[int], keep: bool) -> View:
        """Add a reduction by `Sum` or `Max` over axes, and return its result."""
        function, start = FOLDS[name]
        axes = [axis % len(source.shape) for axis in axes]
        to = self.new(*(1 if axis in axes else size for axis, size in enumerate(source.shape)))
        self.loop(function, to.moved(np.broadcast_to(to.places, source.shape)), [source], fill=start, fold=True)
        return to if keep else to.moved(np.squeeze(to.places, tuple(axes)))

    def whole(self, value: View) -> View:
        """Return a view with all values of an array in order: the same view, or a view of a copy."""
        return value if value.is_whole else self.apply("Identity", value)

    def reshape(self, value: View, shape: Sequence[int]) -> View:
        """Return the same values in another shape: the same array, or a copy if strides cannot express it."""
        try:
            return value.moved(np.reshape(value.places, shape, copy=False))
        except ValueError:
            copy = self.apply("Identity", value)
            return copy.moved(copy.places.reshape(shape))

    def padded(
        self,
        value: View,
        before: Sequence[int],
        shape: Sequence[int],
        steps: Sequence[int] | None = None,
        fill: float = 0.0,
    ) -> View:
        """Return an array of a shape, filled with a number, in which the value starts at an index, with steps."""
        to, steps = self.new(*shape), steps or [1] * len(shape)
        slices = tuple(slice(b, b + (n - 1) * s + 1, s) for b, n, s in zip(before, value.shape, steps, strict=True))
        self.loop("Identity", to.moved(to.places[slices]), [value], fill=fill)
        return to

    def convolve(self, images: View, kernel: Array, strides: Sequence[int]) -> View:
        """Add a convolution without padding of (1, height, width, channels) by (rows, columns, channels, filters)."""
        (_, height, width, channels), (rows, columns, _, filters) = images.shape, kernel.shape
        down, right = strides
        to = self.new(1, (height - rows) // down + 1, (width - columns) // right + 1, filters)
        operands = [[self.whole(images).array], [self.constant(kernel, is_kernel=True).array]]
        output = dict(zip(("height", "width", "filters"), to.shape[1:], strict=True))
        window = {"rows": rows, "columns": columns, "down": down, "right": right}
        step = {"op": "Conv", "to": [to.array], "from": operands, "imageWidth": width, "channels": channels}
        self.steps.append(step | output | window)
        return to

    def choose(self, table: Array, index: View) -> View:
        """Add the choice of a row of a table.

        Raises:
            InputError: there is not just one index.
        """
        if np.prod(index.shape) != 1:
            raise InputError(f"the explorer's engine looks up one label at a time, not {index.shape}.")
        to = self.new(*index.shape, *table.shape[1:])
        operands = [[self.constant(table).array], [self.whole(index).array]]
        self.steps.append({"op": "Gather", "to": [to.array], "from": operands})
        return to


def _collapsed(shape: Sequence[int], strides: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """Return the same loops, with adjacent axes merged where all operands allow it, and without those of size one."""
    sizes: list[int] = []
    kept: list[tuple[int, ...]] = []
    for size, here in zip(shape, zip(*strides, strict=True), strict=True):
        if size == 1:
            continue
        if kept and all(outer == inner * size for outer, inner in zip(kept[-1], here, strict=True)):
            sizes[-1], kept[-1] = sizes[-1] * size, here
        else:
            sizes, kept = [*sizes, size], [*kept, here]
    return sizes, [list(operand) for operand in zip(*kept, strict=True)] if kept else [[] for _ in strides]
