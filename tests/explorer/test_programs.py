"""The engine computes in a browser what the model computes: for each architecture, likelihood and prior."""

import json
import time
from collections.abc import Callable
from itertools import cycle, product
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from vae.explorer.programs import trace
from vae.model.architectures import ARCHITECTURES
from vae.model.conditional import with_labels
from vae.model.likelihoods import LIKELIHOODS
from vae.model.priors import PRIORS
from vae.model.vae import VAE

CASES: list[dict[str, Any]] = [
    {"architecture": architecture, "likelihood": likelihood, "prior": prior, "image_shape": shape, "latent_dim": K}
    for (architecture, likelihood), prior, shape, K in zip(
        product(ARCHITECTURES, LIKELIHOODS),
        cycle(PRIORS),
        cycle([(13, 15, 3), (12, 12, 1), (14, 11, 1)]),
        cycle([2, 3]),
    )
]
CASES += [
    *(
        {"architecture": name, "conditional": True, "image_shape": (13, 12, 1), "latent_dim": 2}
        for name in ARCHITECTURES
    ),
    {"prior": "flow", "image_shape": (28, 28, 1), "latent_dim": 40},
    {"image_shape": (40, 52, 3), "latent_dim": 2},
    {"image_shape": (64, 64, 3), "latent_dim": 2},
    {"image_shape": (64, 64, 3), "latent_dim": 40, "architecture": "resnet", "precision": "mixed_bfloat16"},
]


def name(case: dict[str, Any]) -> str:
    return "-".join(str(value).replace(", ", "x") for value in case.values())


def model_of(**options: Any) -> VAE:
    """Return a model of which no weight is zero."""
    keras.utils.set_random_seed(0)
    model, rng = VAE(class_names=["a", "b", "c"], seed=0, **options), np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign_add(
            rng.normal(scale=0.1 if len(weight.shape) < 2 else 0.2 * np.std(weight) + 0.01, size=weight.shape)
        )
    return model


@pytest.mark.parametrize("case", CASES, ids=name)
def test_every_program_equals_the_model(case: dict[str, Any], load: Callable[..., Any]) -> None:
    model = model_of(**case).in_float32()
    rng, labels = np.random.default_rng(1), np.array([2], "int32") if model.conditional else None
    images: NDArray[np.float32] = (rng.integers(0, 256, (1, *model.image_shape)) / 255).astype("float32")
    images = images.round().astype("float32") if model.likelihood.binarizes else images
    z_mean, z_log_var = model.encode(images, labels=labels)
    z = z_mean + np.exp(z_log_var / 2) * rng.normal(size=z_mean.shape).astype("float32")
    pixels = model.decode(z, labels=labels).ravel()
    nll = np.ravel(model.likelihood.nll(images, model.decoder(with_labels(z, labels))))
    programs, inputs = trace(model), {"images": images, "z": z, "z_mean": z_mean, "z_log_var": z_log_var}
    inputs |= {"label": 2} if model.conditional else {}

    run = load(programs)
    encoded, terms = run("encode", inputs), run("reconstruction", inputs)
    np.testing.assert_allclose(encoded["z_mean"], z_mean[0], atol=1e-4)
    np.testing.assert_allclose(encoded["z_log_var"], z_log_var[0], atol=1e-4)
    np.testing.assert_allclose(run("decode", inputs)["pixels"], pixels, atol=1e-4)
    np.testing.assert_allclose(terms["pixels"], pixels, atol=1e-4)
    np.testing.assert_allclose(terms["nats"], nll, rtol=1e-4)
    np.testing.assert_allclose(run("kl", inputs)["nats"], np.ravel(model.prior.kl(z_mean, z_log_var, z)), rtol=1e-4)
    assert np.ptp(pixels) > 0.01

    np.testing.assert_allclose(load(programs, "float16")("decode", inputs)["pixels"], pixels, atol=2 / 255)
    assert len(programs.constants("float16")) < 0.6 * len(programs.constants())


def test_a_trace_can_be_repeated_byte_for_byte_and_written_as_json() -> None:
    traces = [trace(model_of(image_shape=(12, 12, 1), latent_dim=2, prior="vampprior")) for _ in range(2)]
    texts = [json.dumps(programs.description(), allow_nan=False) for programs in traces]
    assert texts[0] == texts[1]
    assert traces[0].constants() == traces[1].constants()


@pytest.mark.parametrize("conditional", [False, True])
def test_the_network_takes_the_place_of_a_large_matrix(
    conditional: bool, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Any]
) -> None:
    model = model_of(image_shape=(16, 16, 1), latent_dim=4, conditional=conditional)
    sizes, z = [], np.ones((1, 4), "float32")
    for limit in (2**20, 0):
        monkeypatch.setattr("vae.explorer.programs.MAX_MATRIX", limit)
        programs = trace(model)
        sizes.append(len(programs.constants()))
        pixels = load(programs)("decode", {"z": z, "label": 1})["pixels"]
        labels = 1 if conditional else None
        np.testing.assert_allclose(pixels, model.decode(z, labels=labels).ravel(), atol=1e-4)
    assert sizes[0] != sizes[1]


@pytest.mark.parametrize(
    ("program", "inputs", "message"),
    [
        ("decode", {"z": [0.0, 0.0, 0.0], "label": 0}, "decode needs 2 values of z, not 3"),
        ("decode", {"label": 0}, "decode needs 2 values of z, not undefined"),
        ("decode", {"z": [0.0, 0.0], "label": 3}, "no row 3 of 3"),
        ("draw", {}, "no program draw, only encode, decode, reconstruction, kl"),
    ],
)
def test_wrong_inputs_are_errors(program: str, inputs: dict[str, Any], message: str, load: Callable[..., Any]) -> None:
    run = load(trace(model_of(image_shape=(8, 8, 1), latent_dim=2, architecture="mlp", conditional=True)))
    with pytest.raises(BrowserError, match=message):
        run(program, inputs)


def test_results_stay_as_they_are_when_another_program_runs(page: Page, load: Callable[..., Any]) -> None:
    load(trace(model_of(image_shape=(8, 8, 1), latent_dim=2, architecture="mlp")))
    assert page.evaluate("""() => {
        const { pixels } = engine.run("decode", { z: [1, 2] });
        const before = pixels.join();
        engine.run("decode", { z: [-1, 3] });
        engine.run("reconstruction", { z: [-1, 3], images: new Float32Array(64) });
        return pixels.join() === before;
    }""")


def test_the_default_model_decodes_in_less_than_a_frame(page: Page, load: Callable[..., Any]) -> None:
    model = model_of(image_shape=(28, 28, 1), latent_dim=10)
    load(trace(model))
    time.sleep(0.5)  # until TensorFlow's threads are idle
    times = page.evaluate("""() => Array.from({ length: 100 }, (_, index) => {
        const start = performance.now();
        engine.run("decode", { z: Array.from({ length: 10 }, (_, k) => Math.sin(index + k)) });
        return performance.now() - start;
    })""")
    print(f"\nmedian {np.median(times):.1f} ms, best {min(times):.1f} ms")
    assert np.median(times) < 16
