"""The page: one file, which loads nothing, from the scripts in `assets/` and what it shows."""

import json
from importlib import resources
from pathlib import Path

from vae.explorer.contents import Contents
from vae.explorer.programs import trace
from vae.io.whole import whole

MAX_BYTES = 5_000_000
MIN_IMAGES = 1_000
"""The fewest images next to which the weights may be float32; if fewer fit, they are float16, to make room."""
SCRIPTS = ("engine.js", "data.js", "pictures.js", "map.js", "drawing.js", "latents.js", "page.js")
ASSETS = resources.files("vae.explorer") / "assets"


def write_page(path: Path, contents: Contents, images: int, max_bytes: int = MAX_BYTES) -> tuple[int, str]:
    """Write the page with the first test images, `images` of them or as many as fit into the size.

    Returns:
        The number of images on the page, and the precision of the weights on it: `float32` or `float16`.

    Raises:
        InputError: as in `vae.explorer.programs.trace`.
        OSError: as in `whole`.
    """
    wanted = min(images, len(contents.test.images))
    programs = trace(contents.model)
    for precision in ("float32", "float16"):
        description = contents.description(programs, precision)
        count = wanted
        while True:
            arrays = contents.arrays(programs, precision, count)
            page = _page(json.dumps(description | {"arrays": arrays.description}), arrays.text())
            if len(page) <= max_bytes or count == 1:
                break
            fixed = len(_page(json.dumps(description), contents.arrays(programs, precision, 1).text()))
            fitting = int(0.99 * count * (max_bytes - fixed) / (len(page) - fixed))
            count = max(1, min(fitting, count - 1))
        if len(page) <= max_bytes and count >= min(MIN_IMAGES, wanted):
            break
    with whole(path) as part:
        part.write_bytes(page)
    return count, precision


def _page(description: str, arrays: str) -> bytes:
    """Return the page with its style, its scripts and its data in the places that `page.html` has for them."""
    page = _asset("page.html")
    for place, text in {
        "style": _asset("page.css"),
        "description": description.replace("</", "<\\/").replace("<!--", "<\\u0021--"),
        "arrays": arrays,
        "scripts": "".join(f"<script>\n{_asset(name)}</script>\n" for name in SCRIPTS),
    }.items():
        page = page.replace(f"{{{{ {place} }}}}", text, 1)
    return page.encode("utf-8")


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
