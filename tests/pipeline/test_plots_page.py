"""The pages of `dvc plots show` and `dvc plots diff`: a real browser draws every plot, without a network."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page
from playwright.sync_api import TimeoutError as StillWaiting

from repository import Repository

REVISIONS = {"show": ["workspace"], "diff": ["workspace", "HEAD"]}
TITLES = {
    "Loss (−ELBO)",
    "Reconstruction",
    "KL",
    "Learning rate at the end of the epoch",
    "t-SNE of the images",
    "t-SNE of their latent vectors",
    "KL per latent dimension",
    "Loss (−ELBO) of the test images",
}
PICTURES = {
    f"reports/{name}.png"
    for name in (
        *("interpolations", "kl_per_dimension", "losses", "manifold", "prior_samples"),
        *("reconstructions", "training_curves", "traversals", "tsne"),
    )
}

# The element of a picture begins with its path, unlike the element of a plot.
PLOT, PICTURE = "main > div:not(:has(> p))", "main > div:has(> p)"

# Runs before the page's scripts and keeps the texts that are written on each canvas.
KEEP_TEXTS = """
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        (this.canvas.texts ??= []).push(text);
        return fillText.call(this, text, ...place);
    };
"""
# Texts, axes and grids are grey: coloured pixels belong to marks and, a few hundred of them, to legends.
DRAWN = """
    plots => plots.map(plot => {
        const canvas = plot.querySelector('canvas');
        if (!canvas) return { texts: [plot.innerText], width: 0, height: 0, coloured: 0 };
        const { width, height } = canvas;
        const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
        let coloured = 0;
        for (let i = 0; i < pixels.length; i += 4) {
            const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]];
            if (Math.max(r, g, b) - Math.min(r, g, b) > 40) coloured++;
        }
        return { texts: canvas.texts, width, height, coloured };
    })
"""
LOADED = """
    pictures => pictures.map(picture => ({
        path: picture.querySelector(':scope > p').innerText,
        revisions: [...picture.querySelectorAll(':scope > div > p')].map(p => p.innerText),
        widths: [...picture.querySelectorAll('img')].map(image => image.naturalWidth),
        visible: [...picture.querySelectorAll('img')].map(image => image.clientWidth),
    }))
"""


class Opened(NamedTuple):
    command: str
    page: Page
    troubles: list[str]
    requests: list[str]


def opened(browser: Browser, command: str, path: Path) -> Opened:
    """Open the page, and wait until its plots are drawn or ten seconds have passed."""
    page = browser.new_page(offline=True)
    opened = Opened(command, page, [], [])

    def keep_errors(message: ConsoleMessage) -> None:
        if message.type == "error":
            opened.troubles.append(message.text)

    page.on("console", keep_errors)
    page.on("pageerror", lambda error: opened.troubles.append(str(error)))
    page.on("requestfailed", lambda request: opened.troubles.append(f"{request.failure}: {request.url}"))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.add_init_script(KEEP_TEXTS)
    page.goto(path.as_uri())
    with suppress(StillWaiting):
        page.wait_for_function(f"document.querySelectorAll('canvas').length >= {len(TITLES)}", timeout=10_000)
    return opened


@pytest.fixture(scope="module", params=["show", "diff"])
def shown(
    browser: Browser, repository: Repository, compared: Repository, request: pytest.FixtureRequest
) -> Iterator[Opened]:
    where = {"show": repository, "diff": compared}[request.param]
    where.dvc("plots", request.param)
    shown = opened(browser, request.param, where.path / "dvc_plots/index.html")
    yield shown
    shown.page.close()


@pytest.mark.slow
def test_the_page_opens_without_an_error(shown: Opened) -> None:
    assert shown.troubles == []


@pytest.mark.slow
def test_the_page_requests_only_its_own_files(shown: Opened) -> None:
    assert len(shown.requests) >= 1 + len(PICTURES)
    assert [url for url in shown.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.slow
def test_every_plot_is_drawn_with_its_title_and_its_revisions(shown: Opened) -> None:
    plots: list[dict[str, Any]] = shown.page.eval_on_selector_all(PLOT, DRAWN)
    assert {title for plot in plots for title in TITLES & set(plot["texts"])} == TITLES, plots
    assert len(plots) == len(TITLES)
    for plot in plots:
        assert min(plot["width"], plot["height"]) > 300, plot
        assert plot["coloured"] > 800, plot
        assert set(REVISIONS[shown.command]) <= set(plot["texts"]), plot


@pytest.mark.slow
def test_every_picture_is_loaded_for_each_revision(shown: Opened) -> None:
    pictures: list[dict[str, Any]] = shown.page.eval_on_selector_all(PICTURE, LOADED)
    assert {picture["path"] for picture in pictures} == PICTURES
    assert len(pictures) == len(PICTURES)
    for picture in pictures:
        assert picture["revisions"] == REVISIONS[shown.command]
        assert len(picture["widths"]) == len(picture["revisions"])
        assert min(picture["widths"]) > 300, picture
        assert min(picture["visible"]) > 300, picture


@pytest.mark.slow
def test_the_page_blocks_requests_to_the_network(browser: Browser, shown: Opened) -> None:
    page = browser.new_page(offline=True)
    page.goto(shown.page.url)
    for url, request in {
        "https://example.org/data.json": "url => { fetch(url).catch(() => {}) }",
        "https://example.org/picture.png": "url => { new Image().src = url }",
        "wss://example.org/": "url => { new WebSocket(url) }",
    }.items():
        page.evaluate("""() => { window.blocked = new Promise(resolve => {
            document.addEventListener('securitypolicyviolation', event => resolve(event.blockedURI), { once: true });
            setTimeout(resolve, 20000, 'nothing');
        }) }""")
        page.evaluate(request, url)
        assert page.evaluate("blocked") == url
    page.close()


def test_the_libraries_in_the_page_match_their_checksums(root: Path) -> None:
    page = (root / ".dvc/plots/page.html").read_text(encoding="utf-8")
    libraries = re.findall(r'<script data-npm="([\w-]+)@[\d.]+" data-sha256="(\w+)">(.*?)</script>', page, re.DOTALL)
    assert [name for name, _, _ in libraries] == ["vega", "vega-lite", "vega-embed"]
    for name, digest, code in libraries:
        assert hashlib.sha256(code.encode()).hexdigest() == digest, name
