"""What each TensorFlow operation becomes, in steps or as another view."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vae.errors import InputError
from vae.explorer.steps import ELEMENTWISE, FOLDS, Array, Steps, View

Value = View | Array
SAME_VALUES = frozenset(("Identity", "StopGradient", "PreventGradient", "Squeeze", "ExpandDims", "Reshape", "Cast"))
"""Operations that change at most the shape. The engine's numbers are float32, whatever their type in TensorFlow."""


def lower(steps: Steps, operation: Any, values: Sequence[Value]) -> list[View]:
    """Return the outputs of a TensorFlow operation as views, and add the steps that compute them.

    Args:
        steps: the program's steps so far.
        operation: a `tf.Operation` of static shapes.
        values: its inputs: views, or arrays if they are constant.

    Raises:
        InputError: the engine does not know the operation, or not with these attributes.
    """
    name, shape = operation.type, operation.outputs[0].shape if operation.outputs else ()
    attributes = operation.node_def.attr
    if "data_format" in attributes and operation.get_attr("data_format") != b"NHWC":
        raise _unknown(operation)
    if name == "Cast" and (operation.inputs[0].dtype.is_floating or not operation.outputs[0].dtype.is_floating):
        raise _unknown(operation)  # it would round
    if name in SAME_VALUES:
        return [steps.reshape(steps.view(values[0]), tuple(shape))]
    if name == "IdentityN":
        return [steps.view(value) for value in values]
    if name in ELEMENTWISE:
        return [steps.apply(name, *values)]
    if name in FOLDS:
        return [
            steps.reduce(
                name, steps.view(values[0]), np.ravel(_array(values[1])).tolist(), operation.get_attr("keep_dims")
            )
        ]
    if name not in _OTHERS:
        raise _unknown(operation)
    result = _OTHERS[name](steps, operation, values)
    return result if isinstance(result, list) else [result]


def _mat_mul(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    left, kernel = steps.view(values[0]), _array(values[1])
    if operation.get_attr("transpose_a"):
        left = left.moved(left.places.T)
    if operation.get_attr("transpose_b"):
        kernel = kernel.T
    rows, columns = left.shape
    result = steps.convolve(steps.reshape(left, (1, rows, 1, columns)), kernel[None, None], (1, 1))
    return steps.reshape(result, (rows, kernel.shape[1]))


def _convolution(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    images, kernel, strides = steps.view(values[0]), _array(values[1]), operation.get_attr("strides")[1:3]
    before, after = _margins(operation, images.shape[1:3], kernel.shape, strides)
    if any(before) or any(after):
        _, height, width, channels = images.shape
        shape = (1, before[0] + height + after[0], before[1] + width + after[1], channels)
        images = steps.padded(images, (0, *before, 0), shape)
    return steps.convolve(images, kernel, strides)


def _transposed_convolution(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    """Spread the values by the strides, within a margin of zeros, and convolve them with the reversed kernel."""
    kernel, images, strides = _array(values[1]), steps.view(values[2]), operation.get_attr("strides")[1:3]
    sizes = tuple(operation.outputs[0].shape)[1:3]
    before, _ = _margins(operation, sizes, kernel.shape, strides)
    margin = [size - 1 - pad for size, pad in zip(kernel.shape[:2], before, strict=True)]
    shape = (1, *(size + taps - 1 for size, taps in zip(sizes, kernel.shape[:2], strict=True)), images.shape[-1])
    spread = steps.padded(images, (0, *margin, 0), shape, steps=(1, *strides, 1))
    return steps.convolve(spread, kernel[::-1, ::-1].swapaxes(2, 3), (1, 1))


def _margins(
    operation: Any, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return the rows and columns of zeros before and after images of these sizes, in a forward convolution."""
    padding = operation.get_attr("padding")
    if padding not in (b"SAME", b"VALID") or any(rate != 1 for rate in operation.get_attr("dilations")):
        raise _unknown(operation)
    if padding == b"VALID":
        return [0, 0], [0, 0]
    totals = [
        max(0, (math.ceil(size / stride) - 1) * stride + taps - size)
        for size, taps, stride in zip(sizes, kernel[:2], strides, strict=True)
    ]
    return [total // 2 for total in totals], [total - total // 2 for total in totals]


def _max_pool(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    if operation.get_attr("padding") != b"VALID":
        raise _unknown(operation)
    images, (_, down, right, _) = steps.view(values[0]), operation.get_attr("strides")
    windows = sliding_window_view(images.places, operation.get_attr("ksize")[1:3], axis=(1, 2))[:, ::down, ::right]
    return steps.reduce("Max", images.moved(windows.transpose(0, 1, 2, 4, 5, 3)), (3, 4), keep=False)


def _depth_to_space(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    size, (n, height, width, channels) = operation.get_attr("block_size"), operation.inputs[0].shape
    blocks = steps.reshape(steps.view(values[0]), (n, height, width, size, size, channels // size**2))
    blocks = blocks.moved(blocks.places.transpose(0, 1, 3, 2, 4, 5))
    return steps.reshape(blocks, tuple(operation.outputs[0].shape))


def _space_to_depth(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    size, (n, height, width, channels) = operation.get_attr("block_size"), operation.inputs[0].shape
    blocks = steps.reshape(steps.view(values[0]), (n, height // size, size, width // size, size, channels))
    blocks = blocks.moved(blocks.places.transpose(0, 1, 3, 2, 4, 5))
    return steps.reshape(blocks, tuple(operation.outputs[0].shape))


def _strided_slice(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    masks = {
        name: operation.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    index: list[Any] = []
    for axis, (begin, end, step) in enumerate(zip(*map(_array, values[1:]), strict=True)):
        is_set = {name for name, mask in masks.items() if mask >> axis & 1}
        if "ellipsis" in is_set:
            index.append(Ellipsis)
        elif "new_axis" in is_set:
            index.append(None)
        elif "shrink_axis" in is_set:
            index.append(int(begin))
        else:
            index.append(slice(*(None if "begin" in is_set else begin, None if "end" in is_set else end, step)))
    source = steps.view(values[0])
    return source.moved(source.places[(*index, ...) if Ellipsis not in index else tuple(index)])


def _pad(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    source, margins = steps.view(values[0]), _array(values[1])
    shape = [size + before + after for size, (before, after) in zip(source.shape, margins, strict=True)]
    return steps.padded(
        source, margins[:, 0].tolist(), shape, fill=float(_array(values[2])) if len(values) == 3 else 0.0
    )


def _concatenate(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    *parts, axis = values
    return _joined(steps, [steps.view(part) for part in parts], int(_array(axis)), tuple(operation.outputs[0].shape))


def _pack(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    shape, axis = tuple(operation.outputs[0].shape), operation.get_attr("axis")
    axis %= len(shape)
    parts = [view.moved(np.expand_dims(view.places, axis)) for view in map(steps.view, values)]
    return _joined(steps, parts, axis, shape)


def _joined(steps: Steps, parts: Sequence[View], axis: int, shape: Sequence[int]) -> View:
    if len(parts) == 1:
        return parts[0]
    to, start = steps.new(*shape), 0
    for part in parts:
        end = start + part.shape[axis]
        steps.loop("Identity", to.moved(np.moveaxis(np.moveaxis(to.places, axis, 0)[start:end], 0, axis)), [part])
        start = end
    return to


def _split(steps: Steps, operation: Any, values: Sequence[Value]) -> list[View]:
    source, axis = steps.view(values[1]), int(_array(values[0]))
    return [source.moved(part) for part in np.split(source.places, operation.get_attr("num_split"), axis)]


def _tile(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    source, counts = steps.view(values[0]), tuple(_array(values[1]))
    spread = np.expand_dims(source.places, tuple(range(0, 2 * len(counts), 2)))
    shape = tuple(size for pair in zip(counts, source.shape, strict=True) for size in pair)
    return steps.reshape(source.moved(np.broadcast_to(spread, shape)), tuple(operation.outputs[0].shape))


def _transpose(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    source = steps.view(values[0])
    return source.moved(source.places.transpose(_array(values[1])))


def _log_softmax(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    source = steps.view(values[0])
    shifted = steps.apply("Sub", source, steps.reduce("Max", source, [-1], keep=True))
    total = steps.reduce("Sum", steps.apply("Exp", shifted), [-1], keep=True)
    return steps.apply("Sub", shifted, steps.apply("Log", total))


def _gather(steps: Steps, operation: Any, values: Sequence[Value]) -> View:
    if operation.get_attr("batch_dims") or _array(values[2]) != 0:
        raise _unknown(operation)
    return steps.choose(_array(values[0]), steps.view(values[1]))


_OTHERS: dict[str, Callable[[Steps, Any, Sequence[Value]], View | list[View]]] = {
    "ConcatV2": _concatenate,
    "Conv2D": _convolution,
    "Conv2DBackpropInput": _transposed_convolution,
    "DepthToSpace": _depth_to_space,
    "GatherV2": _gather,
    "LogSoftmax": _log_softmax,
    "MatMul": _mat_mul,
    "MaxPool": _max_pool,
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "StridedSlice": _strided_slice,
    "Tile": _tile,
    "Transpose": _transpose,
}


def _array(value: Value) -> Array:
    if isinstance(value, View):
        raise InputError("the explorer's engine needs constant kernels, tables, axes and shapes, but one is computed.")
    return value


def _unknown(operation: Any) -> InputError:
    attributes = {name: operation.get_attr(name) for name in operation.node_def.attr if name[0] != "_"}
    return InputError(
        f"the explorer's engine does not know the operation {operation.type} ({operation.name}) with {attributes}: "
        "add it to vae.explorer.operations."
    )
