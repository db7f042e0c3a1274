"""Multiply-adds against counts by hand."""

import keras
import pytest
from keras import layers

from benchmarks.multiply_adds import of_layer, of_model
from vae.model.architectures import ARCHITECTURES
from vae.model.short_cuts import AffineMap, PackedConv2DTranspose, UpsampledConv2DTranspose


def count(layer: layers.Layer, shape: tuple[int, ...], batch_size: int = 1) -> float:
    """Return the multiply-adds of a layer whose input has that shape."""
    layer(keras.Input(shape))
    return of_layer(layer, batch_size)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Dense(5), (7,), 35),
        (layers.Conv2D(8, 3), (6, 9, 2), 4 * 7 * 9 * 2 * 8),  # "valid": 4x7 pixels
        (layers.Conv2D(8, 3, padding="same"), (6, 9, 2), 6 * 9 * 9 * 2 * 8),
        (layers.Conv2D(8, 2, strides=2), (6, 8, 3), 3 * 4 * 4 * 3 * 8),
        (layers.Conv2D(8, 1), (6, 8, 3), 6 * 8 * 3 * 8),
        (UpsampledConv2DTranspose(4), (5, 6, 3), 5 * 6 * 16 * 3 * 4),
        (PackedConv2DTranspose(2), (5, 6, 12), (10 * 12) * 9 * 3 * 2),  # 3 channels at the full resolution
        (layers.MaxPooling2D(2), (6, 8, 3), 0),
        (layers.Dropout(0.5, seed=0), (8,), 0),
    ],
)
def test_count_of_a_layer_equals_the_count_by_hand(
    layer: layers.Layer, shape: tuple[int, ...], expected: float
) -> None:
    assert count(layer, shape) == pytest.approx(expected, rel=1e-12)


def test_a_batch_shares_the_network_of_an_affine_map() -> None:
    network = keras.Sequential([layers.Dense(12), layers.Reshape((2, 2, 3)), layers.Conv2D(5, 1)])
    # 4 points: three unit vectors and the origin
    assert count(AffineMap(network), (3,), batch_size=8) == 4 * (3 * 12 + 2 * 2 * 3 * 5) / 8 + 4 * (2 * 2 * 5)


@pytest.mark.parametrize("layer", [layers.DepthwiseConv2D(3), layers.LayerNormalization()])
def test_a_layer_that_is_not_known_is_refused(layer: layers.Layer) -> None:
    with pytest.raises(TypeError, match=type(layer).__name__):
        count(layer, (8, 8, 2))


def test_count_of_the_residual_network_equals_the_count_by_hand() -> None:
    build = ARCHITECTURES["resnet"]
    blocks = 2 * 9 * (14 * 14 * 48**2 + 7 * 7 * 64**2)
    between = 7 * 7 * 4 * 48 * 64
    encoder = build.build_encoder((28, 28, 1), 40, dropout=0.0, seed=0, precision="float32")
    assert of_model(encoder, 1) == 14 * 14 * 9 * 4 * 48 + blocks + between + 7 * 7 * 64 * 80
    decoder = build.build_decoder((28, 28, 1), 40, outputs=2, precision="float32")
    assert of_model(decoder, 1) == 40 * 7 * 7 * 64 + blocks + between + 14 * 14 * 9 * 48 * 8


def test_count_of_the_fully_connected_network_equals_the_count_by_hand() -> None:
    build = ARCHITECTURES["mlp"]
    encoder = build.build_encoder((28, 28, 1), 50, dropout=0.0, seed=0, precision="float32")
    assert of_model(encoder, 1) == 784 * 200 + 200 * 200 + 200 * 100
    decoder = build.build_decoder((28, 28, 1), 50, outputs=1, precision="float32")
    assert of_model(decoder, 1) == 50 * 200 + 200 * 200 + 200 * 784
