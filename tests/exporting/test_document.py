"""The Python of docs/export.md, run in an environment without TensorFlow and without this package."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.exporting.small_models import noise
from vae.data.formats.options import Options, fitted, to_array
from vae.data.shards import normalize, save_split
from vae.exporting.export import export
from vae.model.checkpoint import save_model
from vae.model.vae import VAE

PACKAGES = ("ai-edge-litert", "numpy", "onnxruntime", "pillow")
SHAPE = (12, 12, 1)
SHOW = "\nimport json, sys\nprint(json.dumps([z_mean.tolist(), z_log_var.tolist(), sorted(sys.modules)]))\n"


@pytest.fixture(scope="module")
def blocks(root: Path) -> dict[str, str]:
    """The document's Python by the name that is particular to it."""
    found = re.findall(r"^```python\n(.*?)^```", (root / "docs/export.md").read_text(encoding="utf-8"), re.M | re.S)
    names = ("load_split", "encoder.onnx", "encoder.tflite", "decoder.onnx", "tensorflow")
    return {name: next(block for block in found if name in block) for name in names}


@pytest.fixture(scope="module")
def python(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the pinned packages that the document names, and no TensorFlow."""
    folder = tmp_path_factory.mktemp("without") / "tensorflow"
    uv, interpreter = Path(sys.executable).with_name("uv"), folder / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    pins = [f"--constraints={root / name}" for name in ("requirements.txt", "requirements-export.txt")]
    install = [str(uv), "pip", "install", "--quiet", f"--python={interpreter}", *pins, *PACKAGES]
    # all are in uv's cache, unless the environment was made elsewhere
    if subprocess.run([*install, "--offline"], capture_output=True).returncode:
        subprocess.run(install, check=True)
    for name in ("tensorflow", "keras", "vae"):
        assert subprocess.run([interpreter, "-c", f"import {name}"], capture_output=True).returncode == 1
    return interpreter


def run(python: Path, code: str, folder: Path) -> list[str]:
    done = subprocess.run([python, "-I", "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize(("kind", "block"), [("onnx", "encoder.onnx"), ("litert", "encoder.tflite")])
def test_the_documents_lines_encode_a_png_as_keras_does(
    kind: str, block: str, fit: str, blocks: dict[str, str], python: Path, tmp_path: Path
) -> None:
    model = VAE(SHAPE, 3, architecture="mlp", image_fit=fit, seed=0)
    picture = Image.fromarray(np.random.default_rng(0).integers(256, size=(40, 60), dtype=np.uint8))
    picture.save(tmp_path / "photo.png")
    export(model, tmp_path / "exported", kind, noise(2))
    z_mean, z_log_var, modules = json.loads(run(python, blocks[block] + SHOW, tmp_path)[-1])
    prepared = normalize(to_array(fitted(picture, Options(SHAPE[:2], 1, fit))))  # type: ignore[arg-type]
    expected = model.encode(prepared.reshape(1, *SHAPE))
    np.testing.assert_allclose(z_mean, expected[0], atol=1e-5)
    np.testing.assert_allclose(z_log_var, expected[1], atol=1e-5)
    assert not {"tensorflow", "keras", "vae"} & set(modules)


def test_the_documents_lines_for_colours_decode_what_they_encoded(
    blocks: dict[str, str], python: Path, tmp_path: Path
) -> None:
    model = VAE((*SHAPE[:2], 3), 3, architecture="mlp", seed=0)
    pixels = np.random.default_rng(0).integers(256, size=(12, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    export(model, tmp_path / "exported", "onnx", noise(2, channels=3))
    run(python, blocks["encoder.onnx"] + blocks["decoder.onnx"], tmp_path)
    with Image.open(tmp_path / "reconstruction.png") as file:
        found = np.asarray(file)
    expected = 255 * model.reconstruct(normalize(pixels[np.newaxis]))[0]
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_the_documents_lines_for_tensorflow_need_no_keras(
    blocks: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = VAE((28, 28, 1), 2, architecture="mlp", seed=0)
    export(model, tmp_path / "exported", "saved_model", np.zeros((1, 28, 28, 1), np.float32))
    monkeypatch.chdir(tmp_path)
    names: dict[str, tf.Tensor] = {}
    exec(blocks["tensorflow"], names)  # noqa: S102
    expected = model.encode(np.zeros((1, 28, 28, 1), np.float32))[0]
    np.testing.assert_allclose(names["results"]["z_mean"], expected, atol=1e-6)


def test_the_documents_lines_for_the_export_run(
    blocks: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").mkdir()
    save_model(VAE(SHAPE, 3, architecture="mlp", seed=0), tmp_path / "models/vae.keras")
    save_split(tmp_path / "data/prepared/test.npz", noise(3), None, np.array([], np.str_))
    monkeypatch.chdir(tmp_path)
    exec(blocks["load_split"], {})  # noqa: S102
    assert "z_mean" in capsys.readouterr().out
    assert (tmp_path / "exported/encoder.onnx").exists()
