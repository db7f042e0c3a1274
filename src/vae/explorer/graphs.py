"""TensorFlow functions as programs of steps: frozen, with everything computed that is constant, and with few arrays."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from vae.errors import InputError
from vae.explorer.operations import lower
from vae.explorer.steps import Array, Steps, View


class Memory:
    """The arrays of several programs. They share equal constants, and memory for what they compute."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.constants: dict[int, Array] = {}
        self.kernels: set[int] = set()
        self._numbers: dict[bytes, int] = {}

    def constant(self, value: Array, is_kernel: bool) -> int:
        """Return the number of a constant's array; equal ones have the same."""
        value = np.ascontiguousarray(value, np.float32)
        key = value.tobytes()
        if key not in self._numbers:
            self._numbers[key] = self.new(value.size)
            self.constants[self._numbers[key]] = value.ravel()
        number = self._numbers[key]
        self.kernels |= {number} if is_kernel else set()
        return number

    def new(self, size: int) -> int:
        """Return the number of a new array."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def place(self, steps: Steps, inputs: Sequence[int], outputs: Sequence[int]) -> dict[int, int]:
        """Return the array for each of a program's own: one that an earlier value no longer needs, or a new one.

        Args:
            steps: the program's steps, whose own arrays have negative numbers.
            inputs: the arrays that are set before the first step.
            outputs: the arrays that are read after the last one.
        """
        uses = [[operand[0] for operand in (step["to"], *step["from"])] for step in steps.steps]
        last = {array: number for number, used in enumerate(uses) for array in used}
        last |= dict.fromkeys(outputs, len(uses))
        free = [array for array in range(len(self.sizes)) if array not in self.constants]
        places: dict[int, int] = {}
        for number, used in enumerate([list(inputs), *uses], start=-1):
            for array in dict.fromkeys(used):
                if array < 0 and array not in places:
                    size = steps.sizes[array]
                    places[array] = next((other for other in free if self.sizes[other] == size), -1)
                    if places[array] < 0:
                        places[array] = self.new(size)
                    else:
                        free.remove(places[array])
            free += [places[array] for array in dict.fromkeys(used) if array < 0 and last.get(array, -1) == number]
        return places


def program(
    function: Callable[..., Mapping[str, Any]], inputs: Sequence[tf.TensorSpec], memory: Memory
) -> dict[str, Any]:
    """Return the program of a function: its inputs, outputs and steps, as numbers, strings, lists and dictionaries.

    Args:
        function: from tensors to named tensors.
        inputs: the shape, the type and the name of each of its inputs.
        memory: the arrays of all programs.

    Raises:
        InputError: the engine does not know one of the operations.
    """
    concrete = tf.function(function, autograph=False).get_concrete_function(*inputs)
    names = sorted(concrete.structured_outputs)
    frozen = convert_variables_to_constants_v2(concrete)
    steps = Steps(memory.constant)
    views = {tensor.name: steps.new(*tensor.shape) for tensor in frozen.inputs}
    arrays = {spec.name: views[tensor.name].array for spec, tensor in zip(inputs, frozen.inputs, strict=True)}
    results = [steps.whole(steps.view(value)) for value in _lowered(frozen, views, steps)]
    places = memory.place(steps, list(arrays.values()), [result.array for result in results])
    for step in steps.steps:
        for operand in (step["to"], *step["from"]):
            operand[0] = places.get(operand[0], operand[0])
    return {
        "inputs": {name: places[array] for name, array in arrays.items()},
        "outputs": {name: places.get(view.array, view.array) for name, view in zip(names, results, strict=True)},
        "steps": steps.steps,
    }


def _lowered(frozen: Any, values: Mapping[str, View | Array], steps: Steps) -> list[View | Array]:
    """Return the outputs of a frozen function, given its inputs' views by name; add the steps that compute them."""
    constant: dict[str, bool] = {}
    needed: dict[str, Any] = {}
    order: list[Any] = []
    _visit([tensor.op for tensor in frozen.outputs], constant, order)
    for operation in order:
        if not constant[operation.name]:
            needed |= {tensor.name: tensor for tensor in operation.inputs if constant[tensor.op.name]}
    needed |= {tensor.name: tensor for tensor in frozen.outputs if constant[tensor.op.name]}
    with tf.compat.v1.Session(graph=frozen.graph) as session:
        zeros = {tensor.name: np.zeros(tensor.shape, tensor.dtype.as_numpy_dtype) for tensor in frozen.inputs}
        known = {**values, **session.run(needed, zeros)}
    for operation in order:
        if not constant[operation.name] and operation.inputs:
            outputs = lower(steps, operation, [known[tensor.name] for tensor in operation.inputs])
            known.update(zip((tensor.name for tensor in operation.outputs), outputs, strict=True))
    return [known[tensor.name] for tensor in frozen.outputs]


def _visit(operations: Sequence[Any], constant: dict[str, bool], order: list[Any]) -> None:
    """Append the operations and those they depend on to `order`, inputs first, and say of each whether it is constant.

    All shapes are known, so that a tensor's shape is constant even if its values are not.
    """
    for operation in operations:
        if operation.name in constant:
            continue
        _visit([tensor.op for tensor in operation.inputs], constant, order)
        if not all(tensor.shape.is_fully_defined() for tensor in operation.outputs):
            raise InputError(f"the shape of {operation.name} is not known, but the explorer's engine needs it.")
        inputs = [constant[tensor.op.name] for tensor in operation.inputs]
        constant[operation.name] = operation.type in ("Const", "Shape") or (bool(inputs) and all(inputs))
        order.append(operation)
