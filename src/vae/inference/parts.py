"""Parts of the images: several workers, on one machine or on many, encode one each."""

import re
from typing import NamedTuple

from vae.errors import InputError


class Part(NamedTuple):
    """One of the parts into which images are divided, one after the other."""

    number: int
    """From 1."""
    of: int
    """The number of parts."""


WHOLE = Part(1, 1)


def parse_part(text: str) -> Part:
    """Return the part that a text such as `2/8` stands for.

    Raises:
        InputError: the text has another form, or there is no such part.
    """
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    return _checked(text, int(match[1]), int(match[2])) if match else _checked(text, 0, 0)


def _checked(text: str, number: int, of: int) -> Part:
    if not 1 <= number <= of:
        raise InputError(f"the part is {text}, but must be I/N with I from 1 to N, such as 2/8.")
    return Part(number, of)


def places_of(part: Part, total: int, batch_size: int) -> range:
    """Return the places of a part's images among all images.

    Parts begin where a batch does. So each image is in the same batch, at the same place, whatever the number of parts,
    and its result has the same bits. The numbers of batches differ by one at most.

    Args:
        part: the part.
        total: the number of all images.
        batch_size: the number of images in a batch.

    Raises:
        InputError: there is no such part, or there are more parts than batches.
    """
    number, of = _checked("/".join(map(str, part)), *part)
    count = -(-total // batch_size)
    if of > count and of > 1:
        raise InputError(
            f"{total:,} images in batches of {batch_size:,} make {count:,} parts at most, but {of:,} are wanted; take "
            "fewer parts or smaller batches."
        )
    first, last = ((i * count // of) * batch_size for i in (number - 1, number))
    return range(first, min(last, total))
