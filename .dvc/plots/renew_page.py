"""Puts the latest releases of the libraries, within their major versions, in page.html (`make page`; asks npm)."""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

PAGE = Path(__file__).with_name("page.html")
LIBRARY = re.compile(r'<script data-npm="([\w-]+)@(\d+)[\d.]*" data-sha256="\w*">.*?</script>', re.DOTALL)
# What would end the element, change how the rest of it is read, or be replaced by DVC.
FORBIDDEN = re.compile(r"</?script|<!--|\{(plot_divs|scripts|refresh_tag)\}", re.IGNORECASE)


def renewed(library: re.Match[str]) -> str:
    """Return the script element of the library's latest release."""
    name, major = library.groups()
    with tempfile.TemporaryDirectory() as folder:
        pack = ["npm", "pack", "--json", f"{name}@{major}"]
        subprocess.run(pack, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            version = json.load(files.extractfile("package/package.json"))["version"]
            code = files.extractfile(f"package/build/{name}.min.js").read()
    if found := FORBIDDEN.search(code.decode()):
        raise SystemExit(f"error: {name} {version} contains {found[0]}, and cannot be part of the page.")
    digest = hashlib.sha256(code).hexdigest()
    return f'<script data-npm="{name}@{version}" data-sha256="{digest}">{code.decode()}</script>'


if __name__ == "__main__":
    page = LIBRARY.sub(renewed, PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")
    print(*re.findall(r'<script data-npm="([\w-]+@[\d.]+)"', page))
