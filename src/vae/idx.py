"""The IDX format of the MNIST family: http://yann.lecun.com/exdb/mnist/, "file formats".

A file is two zero bytes, a type code, the number of dimensions, each size as a big-endian 32-bit integer, then the
values in C order.
"""

import math
import struct

import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError

UNSIGNED_BYTE = 0x08


def parse_idx(content: bytes, dimensions: int, name: str) -> NDArray[np.uint8]:
    """The unsigned bytes in an IDX file.

    Args:
        content: the whole file, uncompressed.
        dimensions: how many it must have: 3 for images, 1 for labels.
        name: the file's, for the messages.

    Returns:
        A read-only array with that many dimensions.

    Raises:
        InputError: any other magic number, type, number of dimensions or length, or no values at all.
    """
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InputError(f"{name} has {len(content)} bytes, too few for an IDX header of {header}.")
    zeros, dtype, found = struct.unpack_from(">HBB", content)
    if zeros != 0:
        raise InputError(f"{name} is not an IDX file: it starts with {content[:4].hex(' ')}, not with two zero bytes.")
    if dtype != UNSIGNED_BYTE:
        raise InputError(f"{name} holds IDX type {dtype:#04x}, not unsigned bytes ({UNSIGNED_BYTE:#04x}).")
    if found != dimensions:
        raise InputError(f"{name} has {found} dimensions, not {dimensions}.")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    size, sizes = math.prod(shape), " x ".join(map(str, shape))
    if len(content) != header + size:
        raise InputError(f"{name} has {len(content) - header} bytes of values; its header announces {sizes} = {size}.")
    if size == 0:
        raise InputError(f"{name} holds no values: its header announces {sizes}.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
