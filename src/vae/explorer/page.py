"""The page: one file, which loads nothing, from the scripts in `assets/` and what it shows."""

import json
import math
import re
from importlib import resources
from pathlib import Path

from vae.errors import InputError
from vae.explorer.contents import Contents
from vae.explorer.programs import Programs, trace
from vae.io.whole import whole

MAX_BYTES = 5_000_000
MIN_IMAGES = 1_000
"""The fewest images next to which the weights may be float32; if fewer fit, they are float16, to make room."""
PANELS = ("map", "taken", "sliders", "mixes", "draws", "drawing")
SCRIPTS = (
    *("engine.js", "data.js", "pictures.js", "map.js", "drawing.js", "latents.js", "app.js"),
    *(f"{name}_panel.js" for name in PANELS),
    *("address.js", "page.js"),
)
"""The scripts in `assets/`, each after those that it needs."""
MOST_COMPRESSED = 20
"""The largest factor by which images are compressed. No more than could fit by it are tried."""
ASSETS = resources.files("vae.explorer") / "assets"


def write_page(path: Path, contents: Contents, images: int, max_bytes: int = MAX_BYTES) -> tuple[int, str]:
    """Write the page with the first test images, `images` of them or as many as fit into the size.

    Returns:
        The number of images on the page, and the precision of the weights on it: `float32` or `float16`.

    Raises:
        InputError: as in `vae.explorer.programs.trace`; or the page is too large with a single image.
        OSError: as in `whole`.
    """
    few = MOST_COMPRESSED * max_bytes // math.prod(contents.model.image_shape)
    wanted = min(images, len(contents.test.images), max(1, few))
    programs = trace(contents.model)
    for precision in ("float32", "float16"):
        page, count = _fitting_page(contents, programs, precision, wanted, max_bytes)
        if len(page) <= max_bytes and count >= min(MIN_IMAGES, wanted):
            break
    if len(page) > max_bytes:
        raise InputError(
            f"the page would have {len(page) / 1e6:.1f} MB with one image and weights in float16, but must have at "
            f"most {max_bytes / 1e6:g} MB: the model is too large."
        )
    with whole(path) as part:
        part.write_bytes(page)
    return count, precision


def _fitting_page(
    contents: Contents, programs: Programs, precision: str, wanted: int, max_bytes: int
) -> tuple[bytes, int]:
    """Return the page with as many of the wanted images as fit, and their number, but at least one."""

    def page_with(count: int) -> bytes:
        arrays = contents.arrays(programs, precision, count)
        return _page(json.dumps(description | {"arrays": arrays.description}), arrays.text())

    description = contents.description(programs, precision)
    page, count = page_with(wanted), wanted
    fixed = len(page_with(1)) if len(page) > max_bytes else 0
    while len(page) > max_bytes and count > 1:  # twice at most, usually, since images are compressed to a similar size
        fitting = int(0.99 * count * (max_bytes - fixed) / (len(page) - fixed))
        count = max(1, min(fitting, count - 1))
        page = page_with(count)
    return page, count


def _page(description: str, arrays: str) -> bytes:
    """Return the page with its style, its scripts and its data in the places that `page.html` has for them."""
    parts = {
        "style": _asset("page.css"),
        "description": description.replace("<", "\\u003c"),  # no tag may begin or end in a script's text
        "arrays": arrays,
        "scripts": "".join(f"<script>\n{_asset(name)}</script>\n" for name in SCRIPTS),
    }
    return re.sub("{{ ([a-z]+) }}", lambda place: parts[place[1]], _asset("page.html")).encode("utf-8")


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
