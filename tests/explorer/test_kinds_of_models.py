"""The page of every kind of model: it opens without an error, and computes what the model computes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.explorer.pages import contents_of, labels_of, model_of, opened, written
from vae.errors import InputError
from vae.explorer import page
from vae.explorer.page import write_page

CASES: dict[str, dict[str, Any]] = {
    "K = 1": {"image_shape": (16, 16, 1), "latent_dim": 1, "architecture": "mlp"},
    "K = 2, mixture": {"image_shape": (16, 16, 1), "latent_dim": 2, "architecture": "mlp", "prior": "mixture"},
    "K = 40, VampPrior": {"image_shape": (28, 28, 1), "latent_dim": 40, "architecture": "mlp", "prior": "vampprior"},
    "resnet, flow, binarized": {
        "image_shape": (16, 16, 1),
        "latent_dim": 4,
        "architecture": "resnet",
        "prior": "flow",
        "likelihood": "binarized",
    },
    "conditional": {"image_shape": (16, 12, 1), "latent_dim": 3, "architecture": "mlp", "conditional": True},
    "colour, logistic mixture": {
        "image_shape": (64, 64, 3),
        "latent_dim": 3,
        "likelihood": "logistic_mixture",
    },
    "continuous, bfloat16": {
        "image_shape": (16, 16, 1),
        "latent_dim": 3,
        "architecture": "mlp",
        "likelihood": "continuous_bernoulli",
        "precision": "mixed_bfloat16",
    },
    "Gaussian": {
        "image_shape": (16, 16, 3),
        "latent_dim": 3,
        "architecture": "mlp",
        "likelihood": "gaussian_per_value",
    },
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_page_of_each_kind_equals_its_model(browser: Browser, tmp_path: Path, case: dict[str, Any]) -> None:
    contents = contents_of(model_of(**case))
    model = contents.model.in_float32()
    shown = opened(browser, written(tmp_path / "explorer.html", contents), contents)
    labels, images = labels_of(contents, slice(1)), contents.test.images[:1]
    (reconstruction,), (kl,) = model.terms(images, samples=4, **labels)
    assert shown.number("nats-reconstruction") == pytest.approx(reconstruction, rel=1e-4, abs=0.02)
    assert shown.number("nats-kl") == pytest.approx(kl, rel=1e-4, abs=0.02)
    np.testing.assert_allclose(shown.pixels("#original"), images[0], atol=1e-6)
    np.testing.assert_allclose(
        shown.pixels("#reconstruction"), model.reconstruct(images, **labels)[0], atol=0.5 / 255 + 1e-4
    )
    z = np.array(shown.value("[...explorer.state.z]"), np.float32)[None]
    live = shown.value("[...explorer.model.decode(explorer.state.z, explorer.state.label)]")
    np.testing.assert_allclose(np.reshape(live, images.shape), model.decode(z, **labels), atol=1e-4)

    sliders = shown.page.locator("#sliders input")
    assert sliders.count() == model.latent_dim
    standard = case.get("prior", "standard") == "standard"
    assert shown.page.locator("li .standard").is_visible() == standard
    assert shown.page.locator("li .learned").is_visible() != standard
    assert shown.page.locator("#label").is_visible() == model.conditional

    shown.page.locator("#map-choice").select_option("z")
    box = shown.page.locator("#sketch").bounding_box()
    assert box
    shown.page.mouse.move(box["x"] + 60, box["y"] + 60)
    shown.page.locator("#sketch").focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowDown"):
        shown.page.keyboard.press(key)
    shown.settle()
    drawn = np.array(shown.value("[...explorer.sketch.pixels()]"))
    assert drawn.size == images.size
    assert 0 < drawn.max() <= 1
    if model.likelihood.binarizes:
        assert set(np.unique(drawn)) == {0, 1}
    assert shown.page.locator("#neighbours button").count() == 8
    shown.page.set_viewport_size({"width": 360, "height": 740})
    assert shown.value("document.documentElement.scrollWidth") <= 360
    assert shown.troubles == []
    shown.page.close()


def test_a_conditional_model_decodes_the_chosen_class(browser: Browser, tmp_path: Path) -> None:
    contents = contents_of(model_of(**CASES["conditional"]))
    shown = opened(browser, written(tmp_path / "explorer.html", contents), contents)
    shown.page.locator("#label").select_option("2")
    shown.settle()
    z = np.array(shown.value("[...explorer.state.z]"), np.float32)[None]
    np.testing.assert_allclose(shown.pixels("#decoded"), contents.model.decode(z, labels=2)[0], atol=0.6 / 255)
    shown.page.close()


def test_images_without_labels_have_neither_legend_nor_classes(browser: Browser, tmp_path: Path) -> None:
    contents = contents_of(model_of((16, 16, 1), 2, architecture="mlp"), labelled=False)
    shown = opened(browser, written(tmp_path / "explorer.html", contents), contents)
    assert shown.page.locator("#legend").is_hidden()
    assert shown.page.locator("#pointed-name").inner_text() == "test image 0"
    assert shown.troubles == []
    shown.page.close()


def test_a_single_image_is_enough(browser: Browser, tmp_path: Path) -> None:
    contents = contents_of(model_of((16, 16, 1), 2, architecture="mlp"), count=20)
    write_page(tmp_path / "explorer.html", contents, 1)
    shown = opened(browser, tmp_path / "explorer.html", contents)
    assert shown.value("explorer.data.count") == 1
    assert shown.troubles == []
    shown.page.close()


def test_images_and_then_the_precision_give_way_to_the_size(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MIN_IMAGES", 200)
    contents, path = contents_of(model_of((28, 28, 1), 10), count=400), tmp_path / "explorer.html"
    assert write_page(path, contents, 300) == (300, "float32")
    assert write_page(path, contents, 500) == (400, "float32")
    whole = path.stat().st_size
    count, precision = write_page(path, contents, 400, max_bytes=whole - 5_000)
    assert (200 <= count < 400, precision) == (True, "float32")
    assert whole - 10_000 < path.stat().st_size <= whole - 5_000
    assert write_page(path, contents, 400, max_bytes=whole - 100_000) == (400, "float16")
    assert path.stat().st_size <= whole - 100_000

    shown = opened(browser, path, contents)
    z = np.array(shown.value("[...explorer.state.z]"), np.float32)[None]
    live = shown.value("[...explorer.model.decode(explorer.state.z, 0)]")
    np.testing.assert_allclose(np.reshape(live, (1, 28, 28, 1)), contents.model.decode(z), atol=2 / 255)
    assert "within 2/255" in shown.page.locator("#facts").inner_text()
    shown.page.close()

    with pytest.raises(InputError, match="MB with one image"):
        write_page(path, contents, 400, max_bytes=100_000)
