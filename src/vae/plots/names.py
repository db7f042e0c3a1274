"""The names of the classes as texts of a figure: short, distinct, and only of characters that its font has."""

import re
from collections import Counter
from functools import cache

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import NDArray


def labels(class_names: NDArray[np.str_], width: int, lines: int = 1) -> list[str]:
    """Return a text for each class of at most `lines` lines, each of at most `width` characters.

    A longer name loses its middle. A class whose name the font cannot draw, or whose text another class has too, gets
    its number instead; the tables of the maps contain number and name.
    """
    texts = [_shortened(name, width, lines) if _is_drawable(name) else "" for name in class_names.tolist()]
    counts = Counter(texts)
    unique = (
        text if text and counts[text] == 1 else _shortened(f"class {k}", width, lines) for k, text in enumerate(texts)
    )
    return [text.replace("$", r"\$") for text in unique]  # Matplotlib sets what is between two $ as a formula


def _shortened(name: str, width: int, lines: int) -> str:
    """Return the name in lines, broken after words and hyphens if they then suffice, or else without its middle."""
    words = [""]
    for word in re.findall("[^ _/-]*[ _/-]|[^ _/-]+", name):
        if len((words[-1] + word).rstrip()) > width and words[-1]:
            words.append("")
        words[-1] += word
    words = [word.rstrip() for word in words]
    if len(words) <= lines and max(map(len, words)) <= width:
        return "\n".join(words)
    room = width * lines
    if len(name) > room:
        end = (room - 1) // 3
        name = f"{name[: room - 1 - end]}…{name[len(name) - end :]}"
    return "\n".join(name[start : start + width] for start in range(0, len(name), width))


def _is_drawable(name: str) -> bool:
    """Return whether Matplotlib's own font has all characters of the name."""
    return name.isprintable() and set(map(ord, name)) <= _characters()


@cache
def _characters() -> frozenset[int]:
    """Return the code points that Matplotlib's own font has, both regular and bold."""
    regular, bold = (
        get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight))).get_charmap()
        for weight in ("normal", "bold")
    )
    return frozenset(regular) & frozenset(bold)
