"""Small pages to test, and how they are opened."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, ConsoleMessage, Page

from vae.data.binarization import binarize
from vae.data.splits import Split
from vae.evaluation.embedding import embed
from vae.explorer.contents import Contents
from vae.explorer.page import write_page
from vae.model.vae import VAE

CLASSES = ("zero", "<b>one</b>", "two")


def model_of(image_shape: tuple[int, int, int], latent_dim: int, **options: Any) -> VAE:
    """Return a model in which no weight is zero, and whose posteriors differ."""
    keras.utils.set_random_seed(0)
    model, rng = VAE(image_shape, latent_dim, class_names=CLASSES, seed=0, **options), np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign_add(rng.normal(scale=0.1 if len(weight.shape) < 2 else 0.01, size=weight.shape))
    return model


def images_of(shape: tuple[int, int, int], count: int) -> NDArray[np.float32]:
    """Return images of a bright frame each, in 8-bit levels."""
    rng = np.random.default_rng(0)
    levels = np.zeros((count, *shape), np.uint8)
    for image in levels:
        row, column = rng.integers(2, shape[0] - 9), rng.integers(2, shape[1] - 9)
        image[row : row + 7, column : column + 7] = rng.integers(150, 256, shape[2])
        image[row + 1 : row + 6, column + 1 : column + 6] = 0
    return levels.astype(np.float32) / np.float32(255)


def contents_of(model: VAE, count: int = 60, labelled: bool = True) -> Contents:
    """Return what is on the page of a model, with made-up maps of all but the last ten images."""
    images, rng = images_of(model.image_shape, count), np.random.default_rng(1)
    labels = np.arange(count, dtype=np.uint8) % len(CLASSES)
    split = Split(
        binarize(images) if model.likelihood.binarizes else images,
        labels if labelled else None,
        np.array(CLASSES if labelled else (), dtype=np.str_),
    )
    embedding = embed(model, split, 500)
    reconstruction, kl = model.terms(split.images[:], labels=labels if model.conditional else None)
    maps = {title: rng.normal(size=(count - 10, 2)) for title in ("t-SNE of the latent vectors", "t-SNE of the images")}
    draws = {
        "prior": np.asarray(model.prior.sample(50, 0)),
        "mixture": rng.normal(size=(50, model.latent_dim)).astype(np.float32),
    }
    return Contents(model, split, embedding, maps, draws, float(reconstruction.mean()), float(kl.mean()))


class Opened(NamedTuple):
    """A page in the browser."""

    page: Page
    contents: Contents
    troubles: list[str]
    requests: list[str]

    def value(self, script: str) -> Any:
        """Return what a script returns; `explorer` has the page's data, model, state, map and sketch."""
        return self.page.evaluate(script)

    def number(self, name: str) -> float:
        """Return the number in an element."""
        return float(self.page.locator(f"#{name}").inner_text().replace("−", "-"))

    def pixels(self, selector: str) -> NDArray[np.float64]:
        """Return the picture on a canvas, (height, width, channels) in [0, 1]."""
        shape = self.contents.model.image_shape
        script = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        levels = np.array(self.page.eval_on_selector(selector, script)).reshape(*shape[:2], 4)
        return levels[..., : shape[2]] / 255

    def until(self, condition: str) -> None:
        """Wait until a script returns true. Playwright's own wait evaluates texts in the page, which forbids that."""
        deadline = time.monotonic() + 60
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait for two frames: what was asked for before is then drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def opened(browser: Browser, path: Path, contents: Contents, address: str = "", **options: Any) -> Opened:
    """Open a page offline, and keep its errors and requests."""
    page = browser.new_page(offline=True, **options)
    opened = Opened(page, contents, [], [])

    def keep(message: ConsoleMessage) -> None:
        opened.troubles.append(message.text)

    page.on("console", keep)
    page.on("pageerror", lambda error: opened.troubles.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(path.as_uri() + address)
    page.wait_for_selector("main:not([aria-busy])", timeout=20_000)
    opened.settle()
    return opened


def written(path: Path, contents: Contents, **options: Any) -> Path:
    """Write a page with all images."""
    write_page(path, contents, len(contents.test.images), **options)
    return path


def labels_of(contents: Contents, rows: Any) -> Mapping[str, Any]:
    """Return the argument `labels` of the model's methods, if it is conditional."""
    return {"labels": contents.test.known_labels[rows]} if contents.model.conditional else {}
