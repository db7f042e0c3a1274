"""The folder that an export writes, whole or not at all, and what is refused."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.exporting.small_models import noise, small_vae
from vae.errors import InputError
from vae.exporting.endpoints import Run
from vae.exporting.export import export
from vae.exporting.formats import FORMATS, onnx
from vae.model.vae import VAE


@pytest.fixture(scope="module")
def model() -> VAE:
    return small_vae(architecture="mlp")


def test_the_description_says_how_to_use_the_files(tmp_path: Path) -> None:
    model = VAE(
        (12, 10, 3), 2, architecture="mlp", conditional=True, class_names=["cat", "dog"], image_fit="crop", seed=0
    )
    images = np.random.default_rng(0).uniform(size=(2, 12, 10, 3)).astype("float32")
    export(model, tmp_path / "new/exported", "onnx", images, [0, 1])
    description = json.loads((tmp_path / "new/exported/vae.json").read_text(encoding="utf-8"))
    labels = {"name": "labels", "shape": ["batch"], "dtype": "int32"}
    moments = [{"name": name, "shape": ["batch", 2], "dtype": "float32"} for name in ("z_mean", "z_log_var")]
    pixels, z = (
        {"name": name, "shape": shape, "dtype": "float32"}
        for name, shape in {"images": ["batch", 12, 10, 3], "z": ["batch", 2]}.items()
    )
    del description["vae_pipeline"]
    assert description == {
        "format": "onnx",
        "encoder": {"file": "encoder.onnx", "inputs": [pixels, labels], "outputs": moments},
        "decoder": {"file": "decoder.onnx", "inputs": [z, labels], "outputs": [pixels]},
        "latent_dim": 2,
        "likelihood": "bernoulli",
        "conditional": True,
        "class_names": ["cat", "dog"],
        "images": {
            "height": 12,
            "width": 10,
            "channels": 3,
            "fit": "crop",
            "resampling": "lanczos",
            "range": [0, 1],
            "binarized": False,
        },
    }
    for part in ("encoder", "decoder"):  # as ONNX itself names them, in that order
        session = onnxruntime.InferenceSession(tmp_path / "new/exported" / description[part]["file"])
        for tensors, values in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
            found = [(value.name, value.shape) for value in values]
            assert found == [(tensor["name"], tensor["shape"]) for tensor in description[part][tensors]]


def test_the_description_says_whether_pixels_are_binarized(tmp_path: Path) -> None:
    model = small_vae(architecture="mlp", likelihood="binarized")
    export(model, tmp_path / "exported", "saved_model", noise(2, binary=True))
    description = json.loads((tmp_path / "exported/vae.json").read_text(encoding="utf-8"))
    assert description["images"]["binarized"] is True
    with pytest.raises(InputError, match="binarize"):
        export(model, tmp_path / "grey", "saved_model", noise(2))


def test_an_earlier_export_is_replaced_only_with_force(model: VAE, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    folder.mkdir()  # an empty one is accepted
    export(model, folder, "saved_model", noise(1))
    before = json.loads((folder / "vae.json").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match="contains an export already; --force replaces it"):
        export(model, folder, "onnx", noise(1))
    assert json.loads((folder / "vae.json").read_text(encoding="utf-8")) == before
    export(model, folder, "onnx", noise(1), force=True)
    assert sorted(path.name for path in folder.iterdir()) == ["decoder.onnx", "encoder.onnx", "vae.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["exported"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_other_files_is_never_replaced(model: VAE, force: bool, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"contains notes\.txt: name another folder or an empty one"):
        export(model, tmp_path, "onnx", noise(1), force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


class Shifted:
    """ONNX, except that one output is another than the model's."""

    SUFFIX = ".onnx"
    write = staticmethod(onnx.write)

    def __init__(self, name: str, shift: float) -> None:
        self.name, self.shift = name, shift

    def load(self, path: Path) -> Run:
        run = onnx.load(path)
        return lambda arrays: {
            name: value + np.float32(self.shift if name == self.name else 0) for name, value in run(arrays).items()
        }


@pytest.mark.parametrize(
    ("name", "shift", "found"),
    [("z_mean", 2e-4, r"2\.0e-04"), ("z_log_var", -3e-4, r"3\.0e-04"), ("images", np.nan, "nan")],
)
def test_an_export_that_differs_from_keras_is_refused_and_nothing_is_left(
    model: VAE, name: str, shift: float, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae.exporting.export.FORMATS", {**FORMATS, "onnx": Shifted(name, shift)})
    with pytest.raises(InputError, match=f"its {name} differ from Keras by up to {found}, but at most 0.0001"):
        export(model, tmp_path / "exported", "onnx", noise(3))
    assert list(tmp_path.iterdir()) == []


def test_logits_in_place_of_pixel_means_are_refused(
    model: VAE, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = FORMATS["onnx"].write

    def write(endpoint: Any, path: Path) -> None:
        if endpoint.name == "decoder":
            endpoint = endpoint._replace(function=tf_function_of_logits(model, endpoint))
        original(endpoint, path)

    monkeypatch.setattr(onnx, "write", write)
    with pytest.raises(InputError, match="its images differ from Keras"):
        export(model, tmp_path / "exported", "onnx", noise(3))
    assert list(tmp_path.iterdir()) == []


def tf_function_of_logits(model: VAE, endpoint: Any) -> Any:
    import tensorflow as tf

    return tf.function(lambda z: {"images": model.decoder(z)}, input_signature=endpoint.signature())


@pytest.mark.parametrize(
    ("kind", "module", "package"),
    [
        ("onnx", "tf2onnx", "tf2onnx"),
        ("onnx", "onnxruntime", "onnxruntime"),
        ("litert", "ai_edge_litert.interpreter", "ai-edge-litert"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    model: VAE, kind: str, module: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_module = importlib.import_module

    def without(name: str) -> Any:
        if name == module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
        return import_module(name)

    monkeypatch.setattr(importlib, "import_module", without)
    sentence = rf"^{package}, .*, is not installed: run make export-packages .* or pip install '\.\[export\]' in "
    with pytest.raises(InputError, match=sentence):
        export(model, tmp_path / "exported", kind, noise(1))
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_the_model_is_refused_first(model: VAE, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format is 'pickle', but must be one of: onnx, litert, saved_model"):
        export(model, tmp_path / "exported", "pickle", noise(1))
    with pytest.raises(InputError, match="shape"):
        export(model, tmp_path / "exported", "onnx", noise(1, channels=3))
    with pytest.raises(InputError, match="not conditional"):
        export(model, tmp_path / "exported", "onnx", noise(1), labels=[0])
    assert list(tmp_path.iterdir()) == []
