"""A training that starts from the weights of a checkpoint."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.small_training import train_settings, untrained
from vae.errors import InputError
from vae.evaluation.classifier import Classifier
from vae.model.checkpoint import save_model
from vae.model.vae import VAE
from vae.settings.train import RANDOM_WEIGHTS
from vae.training.fit import fit
from vae.training.initial_weights import set_initial_weights


def test_training_starts_from_the_weights_of_the_checkpoint(tmp_path: Path, blobs: NDArray[np.float32]) -> None:
    path, trained = tmp_path / "start.keras", untrained(seed=1)
    settings = train_settings(learning_rate=1e-3)
    history = fit(trained, blobs[:32], blobs[32:], settings, 1)
    save_model(trained, path)
    model = untrained(seed=2)
    set_initial_weights(model, path)
    for weights, expected in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)
    further = fit(model, blobs[:32], blobs[32:], settings, 2)
    assert further.loss[0] < history.loss.iloc[-1] < history.loss[0]


def test_the_default_leaves_the_random_weights() -> None:
    model, path = untrained(), Path(RANDOM_WEIGHTS)
    before = model.get_weights()
    set_initial_weights(model, path)
    for weights, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, expected)


OTHERS = {
    "latent_dim 3, but the model to train has 2.": VAE((28, 28, 1), 3),
    "image_shape [12, 12, 1], but the model to train has [28, 28, 1].": VAE((12, 12, 1), 2),
}


@pytest.mark.parametrize(("what", "other"), OTHERS.items(), ids=["latent_dim", "image_shape"])
def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path, what: str, other: VAE) -> None:
    path = tmp_path / "start.keras"
    save_model(other, path)
    with pytest.raises(InputError) as refused:
        set_initial_weights(untrained(), path)
    assert str(refused.value) == f"train.initial_weights: {path} is a model with {what}"


def test_a_file_that_is_not_a_vae_is_refused(tmp_path: Path) -> None:
    start = f"^train.initial_weights: {tmp_path}"
    with pytest.raises(InputError, match=rf"{start}/absent is missing\.$"):
        set_initial_weights(untrained(), tmp_path / "absent")
    (tmp_path / "text").write_text("weights")
    with pytest.raises(InputError, match=f"{start}/text is not a model that this project saved: it is damaged or not"):
        set_initial_weights(untrained(), tmp_path / "text")
    save_model(Classifier((28, 28, 1), ["a", "b"], seed=0), tmp_path / "classifier.keras")
    with pytest.raises(InputError, match="saved: it contains a Classifier, not a VAE"):
        set_initial_weights(untrained(), tmp_path / "classifier.keras")
    with pytest.raises(InputError, match=rf"{start} cannot be read: Is a directory\.$"):
        set_initial_weights(untrained(), tmp_path)
