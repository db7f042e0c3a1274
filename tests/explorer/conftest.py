"""The engine in a browser. `vae.model` comes first: it sets TensorFlow up before a test module imports Keras."""

import base64
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

import vae.model  # noqa: F401
from vae.explorer.programs import Programs

Outputs = dict[str, NDArray[np.float64]]
Run = Callable[[str, Mapping[str, Any]], Outputs]
LOAD = """
    ([description, constants, precision]) => {
        const bytes = Uint8Array.from(atob(constants), letter => letter.charCodeAt(0));
        window.engine = new Engine(description, bytes.buffer, precision);
    }
"""
RUN = """
    ([name, inputs]) => Object.entries(engine.run(name, inputs)).map(([key, values]) => [key, [...values].map(String)])
"""


@pytest.fixture(scope="module")
def page(browser: Browser, root: Path) -> Iterator[Page]:
    """Yield a blank page with the engine's script."""
    page = browser.new_page()
    page.add_script_tag(path=root / "src/vae/explorer/assets/engine.js")
    yield page
    page.close()


@pytest.fixture
def load(page: Page) -> Callable[..., Run]:
    """Return a function that gives programs to the browser's engine, and returns a function that runs one."""

    def load(programs: Programs, precision: str = "float32") -> Run:
        constants = base64.b64encode(programs.constants(precision)).decode()
        page.evaluate(LOAD, [programs.description(), constants, precision])
        return run

    def run(name: str, inputs: Mapping[str, Any]) -> Outputs:
        # As strings, since JSON has neither NaN nor infinity, nor a zero with a sign.
        values = {key: value if isinstance(value, int) else np.ravel(value).tolist() for key, value in inputs.items()}
        return {key: np.array(texts, float) for key, texts in page.evaluate(RUN, [name, values])}

    return load
