"""What every architecture must do, for several shapes of images."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.model.architectures import ARCHITECTURES
from vae.model.checkpoint import load_model, save_model
from vae.model.sampling import MAX_ABS_LOG_VAR
from vae.model.vae import VAE
from vae.training.optimizers import ConvMuon

Shape = tuple[int, int, int]
SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (33, 47, 1), (64, 64, 3)]
names = pytest.mark.parametrize("name", ARCHITECTURES)
new_names = pytest.mark.parametrize(
    "name", [name for name in ARCHITECTURES if name != "tutorial"]
)  # has tests of its own


@names
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_outputs_have_the_shapes_of_the_interface_and_are_float32_as_the_weights(
    name: str, shape: Shape, precision: str
) -> None:
    rng = np.random.default_rng(0)
    encoder = ARCHITECTURES[name].build_encoder(shape, 3, dropout=0.5, seed=0, precision=precision)
    decoder = ARCHITECTURES[name].build_decoder(shape, 3, outputs=5, precision=precision)
    heads = encoder(rng.uniform(size=(2, *shape)).astype("float32"))
    parameters = decoder(rng.normal(size=(2, 3)).astype("float32"))
    assert [head.shape for head in heads] == [(2, 3), (2, 3)]
    assert parameters.shape == (2, *shape[:2], 5)
    for array in (*heads, parameters):
        assert array.dtype == "float32"
        assert np.isfinite(array).all()
    assert {weight.dtype for weight in (*encoder.weights, *decoder.weights)} == {"float32"}


@names
def test_hidden_layers_compute_in_the_precision_and_the_latent_heads_in_float32(name: str) -> None:
    encoder = ARCHITECTURES[name].build_encoder((28, 28, 1), 3, dropout=0.0, seed=0, precision="mixed_bfloat16")
    inputs = {layer.name: layer.compute_dtype for layer in encoder.layers if layer.weights}
    heads = [inputs.pop("z_mean"), inputs.pop("z_log_var")]
    assert heads == ["float32", "float32"]
    assert set(inputs.values()) == {"bfloat16"}
    decoder = ARCHITECTURES[name].build_decoder((28, 28, 1), 3, outputs=1, precision="mixed_bfloat16")
    assert {layer.compute_dtype for layer in decoder.layers if layer.weights} == {"bfloat16"}


@names
def test_log_variances_are_bounded(name: str) -> None:
    encoder = ARCHITECTURES[name].build_encoder((8, 8, 1), 2, dropout=0.0, seed=0, precision="float32")
    encoder.get_layer("z_log_var").bias.assign([1e4, -1e4])
    _, z_log_var = encoder(np.ones((1, 8, 8, 1), "float32"))
    assert np.asarray(z_log_var).tolist() == [[MAX_ABS_LOG_VAR, -MAX_ABS_LOG_VAR]]


@names
def test_dropout_acts_in_training_only_and_no_image_depends_on_the_others(name: str) -> None:
    images = np.random.default_rng(0).uniform(size=(4, 8, 12, 1)).astype("float32")
    outputs = {}
    for rate in (0.0, 0.5):
        encoder = ARCHITECTURES[name].build_encoder((8, 12, 1), 2, dropout=rate, seed=0, precision="float32")
        single = np.concatenate([encoder(images[[row]])[0] for row in range(4)])
        np.testing.assert_allclose(encoder(images)[0], single, atol=1e-5)
        outputs[rate] = np.abs(np.asarray(encoder(images, training=True)[0]) - single).max()
    assert outputs[0.0] < 1e-5
    assert outputs[0.5] > 0.01


@new_names
@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 47, 3)], ids=str)
def test_a_saved_model_has_the_outputs_of_the_model_and_the_same_bytes_when_saved_again(
    name: str, shape: Shape, tmp_path: Path
) -> None:
    model = VAE(shape, 3, architecture=name, precision="mixed_bfloat16", seed=0)
    images = np.random.default_rng(0).uniform(size=(5, *shape)).astype("float32")
    save_model(model, tmp_path / "model.keras")
    twin = load_model(tmp_path / "model.keras", VAE)
    save_model(twin, tmp_path / "twin.keras")
    assert twin.get_config() == model.get_config()
    results = [(*m.encode(images), m.reconstruct(images), m.sample(5, seed=0), m.score(images)) for m in (model, twin)]
    assert [result.shape for result in results[0]] == [(5, 3), (5, 3), (5, *shape), (5, *shape), (5,)]
    for measured, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(measured, expected)
    assert (tmp_path / "twin.keras").read_bytes() == (tmp_path / "model.keras").read_bytes()


@pytest.mark.slow
@new_names
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_training_changes_every_weight_and_lowers_the_loss(
    name: str, precision: str, blobs: NDArray[np.float32]
) -> None:
    model = VAE((28, 28, 1), 4, architecture=name, precision=precision, seed=0)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile(ConvMuon(0.01))
    losses = model.fit(blobs, batch_size=10, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    for weight, start in zip(model.trainable_weights, before, strict=True):
        assert np.isfinite(weight.numpy()).all()
        assert np.any(weight.numpy() != start), weight.path
