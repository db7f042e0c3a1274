"""IDX files: exact arrays, and every other file refused."""

import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from vae.data.formats.idx import parse_idx
from vae.errors import InputError

LARGEST = 2**32 - 1


def header(*shape: int, zeros: int = 0, dtype: int = 0x08) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", zeros, dtype, len(shape), *shape)


def encode(array: NDArray[np.uint8]) -> bytes:
    return header(*array.shape) + array.tobytes()


def test_images_are_read_in_c_order() -> None:
    images = parse_idx(bytes.fromhex("00000803 00000002 00000001 00000003") + bytes([0, 1, 2, 253, 254, 255]), 3, "x")
    np.testing.assert_array_equal(images, np.array([[[0, 1, 2]], [[253, 254, 255]]], np.uint8), strict=True)


def test_labels_are_read() -> None:
    labels = parse_idx(bytes.fromhex("00000801 00000004") + bytes([7, 2, 1, 0]), 1, "x")
    np.testing.assert_array_equal(labels, np.array([7, 2, 1, 0], np.uint8), strict=True)


def test_the_array_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        parse_idx(encode(np.zeros(3, np.uint8)), 1, "x")[0] = 1


@pytest.mark.parametrize(
    ("content", "dimensions", "message"),
    [
        pytest.param(b"", 1, "file has 0 bytes, too few for an IDX header of 8.", id="empty"),
        pytest.param(
            header(2, 2, 1)[:-1], 3, "file has 15 bytes, too few for an IDX header of 16.", id="truncated header"
        ),
        pytest.param(
            b"PK\x03\x04" + bytes(8),
            1,
            "file is not an IDX file: it starts with 50 4b 03 04, not with two zero bytes.",
            id="another format",
        ),
        pytest.param(
            header(1, zeros=1) + b"\0",
            1,
            "file is not an IDX file: it starts with 00 01 08 01, not with two zero bytes.",
            id="second byte not zero",
        ),
        pytest.param(
            header(1, dtype=0x0D) + bytes(4), 1, "file contains IDX type 0x0d, not unsigned bytes (0x08).", id="float"
        ),
        pytest.param(header(4) + bytes(12), 3, "file has 1 dimensions, not 3.", id="labels for images"),
        pytest.param(header(2, 2, 1) + bytes(4), 1, "file has 3 dimensions, not 1.", id="images for labels"),
        pytest.param(
            header(2, 2, 1) + bytes(3),
            3,
            "file has 3 bytes of values, but its header says 2 x 2 x 1 = 4.",
            id="truncated values",
        ),
        pytest.param(header(2) + bytes(3), 1, "file has 3 bytes of values, but its header says 2 = 2.", id="padded"),
        pytest.param(
            header(2**31, 2**31, 4),
            3,
            "file has 0 bytes of values, but its header says 2147483648 x 2147483648 x 4 = 18446744073709551616.",
            id="a size of 2**64, 0 in 64 bits",
        ),
        pytest.param(header(0, 28, 28), 3, "file contains no values: its header says 0 x 28 x 28.", id="no images"),
        pytest.param(
            header(0, LARGEST, LARGEST),
            3,
            "file contains no values: its header says 0 x 4294967295 x 4294967295.",
            id="no values, and a shape too large for NumPy",
        ),
    ],
)
def test_a_file_in_another_format_is_refused(content: bytes, dimensions: int, message: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_idx(content, dimensions, "file")
    assert str(refused.value) == message


ARRAYS = arrays(np.uint8, array_shapes(min_dims=1, max_dims=3, max_side=6))


@given(ARRAYS)
def test_every_array_is_read_as_it_was_written(array: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(parse_idx(encode(array), array.ndim, "x"), array, strict=True)


@given(ARRAYS, st.data())
def test_every_truncated_or_padded_file_is_refused(array: NDArray[np.uint8], data: st.DataObject) -> None:
    content = encode(array)
    cut = data.draw(st.integers(0, len(content) - 1).map(lambda size: content[:size]))
    padded = content + data.draw(st.binary(min_size=1, max_size=9))
    for other in (cut, padded):
        with pytest.raises(InputError):
            parse_idx(other, array.ndim, "x")


SIZES = st.sampled_from([0, 1, 2, 28, 2**16, 2**31, LARGEST])
HEADERS = st.lists(SIZES, min_size=1, max_size=3).map(lambda shape: header(*shape))


@given(st.binary(max_size=40) | st.builds(bytes.__add__, HEADERS, st.binary(max_size=8)), st.sampled_from([1, 3]))
@example(header(2) + bytes(2), 1)
@example(header(1, 2, 1) + bytes(2), 3)
def test_any_bytes_are_read_exactly_or_refused_in_one_line(content: bytes, dimensions: int) -> None:
    result = array_or_refusal(content, dimensions)
    if isinstance(result, str):
        assert result.isprintable()
    else:
        assert encode(result) == content


def array_or_refusal(content: bytes, dimensions: int) -> NDArray[np.uint8] | str:
    try:
        return parse_idx(content, dimensions, "x")
    except InputError as refused:
        return str(refused)
