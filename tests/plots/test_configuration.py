"""Figures are the same bytes whatever Matplotlib's user has configured."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

DRAW = """
from pathlib import Path
import numpy as np
import pandas as pd
from vae.plots import charts, grids
from vae.plots.maps import maps
from vae.plots.style import save_figure

rng = np.random.default_rng(0)
history = pd.DataFrame(rng.uniform(1, 9, (4, 7)), columns=list(charts.HISTORY_COLUMNS)).assign(epoch=range(1, 5))
table = pd.DataFrame({"dimension": [1, 0], "kl": [2.0, 0.0], "standard_error": 0.1, "active": [True, False]})
labels = np.arange(60, dtype=np.uint8) % 3
figures = {
    "curves": charts.training_curves(history, history.iloc[2]),
    "bars": charts.kl_per_dimension(table),
    "traversals": grids.traversals(rng.uniform(size=(2, 3, 4, 4, 1)), np.array([-1.0, 0, 1]), table),
    "maps": maps({"−1 µ": rng.normal(size=(60, 2))}, labels, np.array(["a", "b", "c"])),
}
for name, figure in figures.items():
    save_figure(Path(f"{name}.png"), figure)
"""

HOSTILE = """
text.usetex: True
font.family: serif
font.size: 20
mathtext.fontset: cm
savefig.bbox: tight
savefig.dpi: 50
savefig.transparent: True
figure.facecolor: black
figure.constrained_layout.use: False
figure.constrained_layout.w_pad: 1
axes.facecolor: black
axes.grid: True
axes.unicode_minus: False
axes.formatter.use_locale: True
axes.prop_cycle: cycler('color', ['r', 'g'])
text.color: white
lines.linewidth: 5
hatch.color: red
image.cmap: jet
image.origin: lower
path.sketch: 1, 100, 2
text.antialiased: False
agg.path.chunksize: 1
timezone: Mars/Olympus
"""
BROKEN = "no.such.key: 1\nfont.size: large enough\nno colon\n"
CONFIGURATIONS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "in the working folder": ("matplotlibrc", HOSTILE.encode(), {}),
    "broken, in the working folder": ("matplotlibrc", BROKEN.encode(), {}),
    "named by a variable": ("settings/rc", HOSTILE.encode(), {"MATPLOTLIBRC": "settings/rc"}),
    "not UTF-8": ("settings/matplotlibrc", b"font.family: \xff\xfe\n", {"MATPLOTLIBRC": "settings"}),
    "in the home": ("home/.config/matplotlib/matplotlibrc", HOSTILE.encode(), {}),
    "a broken style": ("home/.config/matplotlib/stylelib/dark.mplstyle", BROKEN.encode(), {}),
    "an unknown backend": ("unused", b"", {"MPLBACKEND": "nonsense"}),
    "a backend that is not installed": ("unused", b"", {"MPLBACKEND": "module://nonsense"}),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for Matplotlib's list of fonts, which takes seconds to make."""
    return tmp_path_factory.mktemp("cache")


def draw(folder: Path, cache: Path, root: Path, variables: Mapping[str, str]) -> tuple[str, dict[str, bytes]]:
    """Draw the figures in a fresh process in a folder, and return its output and the files."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "MATPLOTLIB", "XDG_"))}
    env = {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(root / "src"), **variables}
    command = [sys.executable, "-c", DRAW]
    done = subprocess.run(
        command, cwd=folder, env=own | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout, {path.name: path.read_bytes() for path in folder.glob("*.png")}


@pytest.fixture(scope="module")
def expected(cache: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("without")
    (folder / "home").mkdir()
    _, files = draw(folder, cache, root, {})
    assert len(files) == 4
    return files


@pytest.mark.slow
@pytest.mark.parametrize(("name", "content", "variables"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_users_configuration_changes_no_byte_of_a_figure_and_brings_no_warning(
    tmp_path: Path,
    cache: Path,
    root: Path,
    expected: dict[str, bytes],
    name: str,
    content: bytes,
    variables: dict[str, str],
) -> None:
    path = tmp_path / name
    (tmp_path / "home").mkdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert draw(tmp_path, cache, root, variables) == ("", expected)


NOTEBOOK = """
import matplotlib as mpl
mpl.rcParams.update({"font.size": 20, "figure.facecolor": "black"})
"""


def test_settings_made_before_the_import_change_nothing(tmp_path: Path, root: Path) -> None:
    code = "import vae.plots; print(mpl.rcParams['font.size'], mpl.rcParams['figure.facecolor'])"
    done = subprocess.run([sys.executable, "-c", NOTEBOOK + code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "10.0 white\n"


def test_figures_are_drawn_without_tensorflow(root: Path) -> None:
    code = "import sys; from vae.plots import charts, grids, maps; print({'tensorflow', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=root / "src", capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_a_notebook_keeps_its_backend(tmp_path: Path) -> None:
    code = "import vae.plots, matplotlib, os; print(matplotlib.rcParams['backend'], os.environ['MPLBACKEND'])"
    env = os.environ | {"MPLBACKEND": "svg"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout == "svg svg\n"
