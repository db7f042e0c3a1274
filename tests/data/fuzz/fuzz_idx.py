"""A coverage-guided fuzz test of the IDX parser: `make fuzz` for an hour, `make fuzz FUZZ_SECONDS=60` for a minute.

Every input must either be refused with an `InputError` or give an array with exactly its bytes.
"""

import struct
import sys

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports():
    from vae.data.formats.idx import parse_idx
    from vae.errors import InputError


def parse_one(data: bytes) -> None:
    """Parse one input: the first byte gives the required number of dimensions, 0 to 4; the rest is the file."""
    dimensions, content = data[0] % 5 if data else 1, data[1:]
    try:
        array = parse_idx(content, dimensions, "fuzzed")
    except InputError:
        return
    header = struct.pack(f">HBB{dimensions}I", 0, 8, dimensions, *array.shape)
    assert header + array.tobytes() == content


if __name__ == "__main__":
    atheris.Setup(sys.argv, parse_one)
    atheris.Fuzz()
