"""A coverage-guided fuzz of the IDX parser, by hand: `make fuzz` for an hour, `make fuzz FUZZ_SECONDS=60` for a minute.

Every input must be refused with an `InputError`, or be an array that holds its bytes and no others.
"""

import struct
import sys

import atheris

with atheris.instrument_imports():
    from vae.errors import InputError
    from vae.idx import parse_idx


def parse_one(data: bytes) -> None:
    """The first byte is the number of dimensions asked for, 0 to 4; the rest is the file."""
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
