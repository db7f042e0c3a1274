from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data.shards import StoredImages, normalize
from vae.data.splits import Split
from vae.evaluation.embedding import Embedding, embed, encode, save_embedding, to_table
from vae.model.vae import VAE

LABELS = np.array([9, 0], np.uint8)


@pytest.fixture(params=[LABELS, None], ids=["labels", "no labels"])
def embedding(request: pytest.FixtureRequest) -> Embedding:
    return Embedding(np.array([[1, 2], [3, 4]], "float32"), np.array([[5, 6], [7, 8]], "float32"), request.param)


def test_embedding_is_the_encoder_output_in_order(images: NDArray[np.float32]) -> None:
    model = VAE(images.shape[1:], 3, dropout=0.9)
    labels = np.arange(6, dtype=np.uint8)
    embedding = embed(model, Split(images, labels, np.array(list("abcdef"))), batch_size=4)
    expected = model.encoder(images, training=False)
    for found, exact in zip((embedding.z_mean, embedding.z_log_var), expected, strict=True):
        np.testing.assert_allclose(found, exact, atol=1e-6)
        assert found.dtype == np.float32
    np.testing.assert_array_equal(embedding.labels, labels)


@pytest.mark.parametrize("batch_size", [4, 500])
def test_images_on_disk_and_in_memory_are_encoded_as_the_model_encodes_them(
    on_disk: Callable[[NDArray[np.uint8]], StoredImages], batch_size: int
) -> None:
    levels = np.random.default_rng(0).integers(256, size=(18, 33, 47, 3), dtype=np.uint8)
    model = VAE((33, 47, 3), 2)
    expected = model.encode(normalize(levels), batch_size)
    for images in (normalize(levels), on_disk(levels)):
        for found, exact in zip(encode(model, images, batch_size), expected, strict=True):
            np.testing.assert_array_equal(found, exact, strict=True)


def test_images_without_labels_have_an_embedding_without_labels(images: NDArray[np.float32]) -> None:
    embedding = embed(VAE(images.shape[1:], 3), Split(images, None, np.array([], str)), batch_size=6)
    assert embedding.z_mean.shape == (6, 3)
    assert embedding.labels is None


def test_images_in_colour_with_labels_above_255_are_embedded() -> None:
    images = np.random.default_rng(0).random((3, 33, 47, 3), dtype=np.float32)
    labels: Any = np.array([2, 999, 0], np.uint16)
    embedding = embed(VAE((33, 47, 3), 2), Split(images, labels, np.arange(1000).astype(str)), batch_size=2)
    table = to_table(embedding)
    assert table.label.tolist() == [2, 999, 0]
    assert table.shape == (3, 5)


def test_table_has_one_column_per_parameter_after_the_label(embedding: Embedding) -> None:
    table = to_table(embedding)
    parameters = table[["z_mean_0", "z_mean_1", "z_log_var_0", "z_log_var_1"]]
    assert parameters.to_numpy().tolist() == [[1, 2, 5, 6], [3, 4, 7, 8]]
    assert list(table.columns) == [*(["label"] if embedding.labels is not None else []), *parameters.columns]
    if embedding.labels is not None:
        assert table.label.tolist() == [9, 0]


def test_saved_embedding_contains_its_arrays(tmp_path: Path, embedding: Embedding) -> None:
    save_embedding(tmp_path / "test.npz", embedding)
    with np.load(tmp_path / "test.npz") as file:
        assert set(file) == {"z_mean", "z_log_var", *(["labels"] if embedding.labels is not None else [])}
        for name in file:
            np.testing.assert_array_equal(file[name], getattr(embedding, name))
