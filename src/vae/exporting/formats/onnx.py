"""ONNX, by tf2onnx; ONNX Runtime runs it."""

from pathlib import Path

from vae.exporting.endpoints import Arrays, Endpoint, Run
from vae.exporting.formats.packages import require

SUFFIX = ".onnx"
OPSET = 18
"""The version of ONNX's operators: the latest that tf2onnx 1.17 writes."""


def write(endpoint: Endpoint, path: Path) -> None:
    """Write the endpoint as an ONNX file whose free dimension is called `batch`.

    Raises:
        InputError: tf2onnx is not installed.
    """
    tf2onnx = require("tf2onnx", "tf2onnx")
    proto, _ = tf2onnx.convert.from_function(endpoint.function, endpoint.signature(), opset=OPSET)
    outputs = {value.name: value for value in proto.graph.output}
    ordered = [outputs[tensor.name] for tensor in endpoint.outputs]  # tf2onnx sorts them by name
    del proto.graph.output[:]
    proto.graph.output.extend(ordered)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    path.write_bytes(proto.SerializeToString(deterministic=True))


def load(path: Path) -> Run:
    """Return the function in an ONNX file.

    Raises:
        InputError: ONNX Runtime is not installed.
    """
    onnxruntime = require("onnxruntime", "onnxruntime")
    onnxruntime.disable_telemetry_events()  # Windows' builds send some
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        return dict(zip(names, session.run(names, arrays), strict=True))

    return run
