"""Exported files against Keras, for every architecture, likelihood and format, at several batch sizes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.exporting.small_models import noise, opened, small_vae
from vae.exporting.endpoints import endpoints
from vae.exporting.export import export
from vae.exporting.formats import FORMATS
from vae.model.architectures import ARCHITECTURES
from vae.model.likelihoods import LIKELIHOODS
from vae.model.vae import VAE

BATCHES = (1, 5, 2)
each_format = pytest.mark.parametrize("kind", FORMATS)


def check_encoder(model: VAE, path: Path, channels: int = 1) -> None:
    """Compare an exported encoder with Keras."""
    encode = opened(path)
    for size in BATCHES:
        images, labels = noise(size, channels, model.likelihood.binarizes), labels_of(model, size)
        found = encode({"images": images, **labels})
        z_mean, z_log_var = model.encode(images, **labels)
        assert found.keys() == {"z_mean", "z_log_var"}
        np.testing.assert_allclose(found["z_mean"], z_mean, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found["z_log_var"], z_log_var, rtol=1e-5, atol=1e-5)


def check_decoder(model: VAE, path: Path) -> None:
    """Compare an exported decoder with Keras."""
    decode = opened(path)
    for size in BATCHES:
        z, labels = np.random.default_rng(size).normal(size=(size, 3)).astype("float32"), labels_of(model, size)
        found = decode({"z": z, **labels})
        assert found.keys() == {"images"}
        np.testing.assert_allclose(found["images"], model.decode(z, **labels), atol=1e-5)
        assert found["images"].min() >= 0
        assert found["images"].max() <= 1


def labels_of(model: VAE, size: int) -> dict[str, Any]:
    """Return the labels of a batch by name, for a conditional model."""
    return {"labels": np.arange(size, dtype=np.int32) % len(model.class_names)} if model.conditional else {}


def check_export(model: VAE, kind: str, folder: Path, channels: int = 1) -> None:
    """Export a model, and compare the files with Keras in float32."""
    report = export(model, folder, kind, noise(5, channels, model.likelihood.binarizes), **labels_of(model, 5))
    assert report.differences.keys() == {"z_mean", "z_log_var", "images"}
    assert max(report.differences.values()) < 1e-5
    assert report.images == 5
    assert sorted(path.name for path in folder.iterdir()) == sorted([*report.files.values(), "vae.json"])
    check_encoder(model.in_float32(), folder / report.files["encoder"], channels)
    check_decoder(model.in_float32(), folder / report.files["decoder"])


@pytest.mark.parametrize("kind", ["onnx", "litert"])  # LiteRT's files are made from a SavedModel
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_decoder_has_the_pixel_means_of_keras(
    architecture: str, likelihood: str, kind: str, tmp_path: Path
) -> None:
    model = small_vae(architecture=architecture, likelihood=likelihood)
    path = tmp_path / f"decoder{FORMATS[kind].SUFFIX}"
    FORMATS[kind].write(endpoints(model)[1], path)
    check_decoder(model, path)


@each_format
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_both_files_compute_what_keras_computes(architecture: str, kind: str, tmp_path: Path) -> None:
    check_export(small_vae(architecture=architecture), kind, tmp_path / "exported")


@each_format
def test_a_conditional_model_takes_labels(kind: str, tmp_path: Path) -> None:
    check_export(small_vae(conditional=True, class_names=("a", "b", "c")), kind, tmp_path / "exported")


@each_format
def test_images_may_have_colours(kind: str, tmp_path: Path) -> None:
    model = small_vae(3, likelihood="logistic_mixture", architecture="mlp")
    check_export(model, kind, tmp_path / "exported", channels=3)


@each_format
def test_images_may_be_binarized(kind: str, tmp_path: Path) -> None:
    check_export(small_vae(likelihood="binarized", architecture="mlp"), kind, tmp_path / "exported")


@each_format
def test_a_model_trained_in_bfloat16_is_exported_in_float32(kind: str, tmp_path: Path) -> None:
    check_export(small_vae(precision="mixed_bfloat16"), kind, tmp_path / "exported")
