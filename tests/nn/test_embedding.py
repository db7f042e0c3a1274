import numpy as np
from numpy.typing import NDArray

from vae.nn.embedding import Embedding, embed, to_table
from vae.nn.model import VAE


def test_embedding_is_the_encoder_s_output_in_order(images: NDArray[np.float32]) -> None:
    model = VAE(3, dropout=0.9)
    labels = np.arange(6, dtype=np.uint8)
    embedding = embed(model, images, labels, batch_size=4)
    for found, expected in zip((embedding.z_mean, embedding.z_log_var), model.encode(images), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert found.dtype == np.float32
    np.testing.assert_array_equal(embedding.labels, labels)


def test_table_has_a_column_for_each_dimension() -> None:
    embedding = Embedding(
        np.array([[1, 2], [3, 4]], "float32"), np.array([[5, 6], [7, 8]], "float32"), np.array([9, 0], np.uint8)
    )
    table = to_table(embedding)
    assert list(table.columns) == ["label", "z_mean_0", "z_mean_1", "z_log_var_0", "z_log_var_1"]
    assert table.to_numpy().tolist() == [[9, 1, 2, 5, 6], [0, 3, 4, 7, 8]]
