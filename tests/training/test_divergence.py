"""A training that diverges names the step, the learning rate and the setting to change, and keeps its best weights."""

import re
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.small_training import train_settings, untrained
from vae.training.batches import batches
from vae.training.callbacks import DivergenceError
from vae.training.fit import fit

Images = NDArray[np.float32]


def test_an_infinite_loss_ends_the_training_in_that_step(blobs: Images) -> None:
    message = (
        "the loss became NaN or infinite in epoch 1, step 2 of 4, at a learning rate of 1e+09; "
        "train.learning_rate is 1e+09: try a lower one."
    )
    with pytest.raises(DivergenceError, match=f"^{re.escape(message)}$") as ended:
        fit(untrained(), blobs[:32], blobs[32:], train_settings(learning_rate=1e9), 0)
    assert ended.value.best_epoch is None


@pytest.mark.parametrize(
    ("at_a_time", "where", "rate"), [(1, "step 12 of 24", "0.275"), (8, "one of the steps 9 to 16 of 24", "0.375")]
)
def test_steps_between_which_a_training_diverged_are_named_with_their_last_rate(
    blobs: Images, monkeypatch: pytest.MonkeyPatch, at_a_time: int, where: str, rate: str
) -> None:
    # The rate rises from 0 by 0.025 a step; the images of step 12 of 24 are infinite, and the loss after them stays so.
    monkeypatch.setattr("vae.training.fit.steps_per_execution", lambda steps: at_a_time)
    monkeypatch.setattr("vae.training.data_sets.shuffled_batches", lambda images, size, *_, **__: batches(images, size))
    settings = train_settings(schedule="trapezoid", learning_rate=1.2, epochs=4, warmup=0.5, batch_size=1)
    poisoned = blobs[:24].copy()
    poisoned[11] = np.inf
    message = f"the loss became NaN or infinite in epoch 1, {where}, at a learning rate of {rate}; "
    with pytest.raises(DivergenceError, match=f"^{re.escape(message)}"):
        fit(untrained(), poisoned, blobs[32:], settings, 0)


class Poison(keras.callbacks.Callback):
    """Makes a weight infinite after a step of an epoch, both from 1; records the weights at each epoch's beginning."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__()
        self.at = (epoch, step)
        self.weights: list[list[NDArray[np.float32]]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        self.weights.append(self.model.get_weights())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch + 1) == self.at:
            bias = self.model.decoder.get_layer("deconv_3").bias
            bias.assign(bias + np.inf)


class Hidden(keras.callbacks.Callback):
    """Makes a filter of the first convolution NaN at the beginning of an epoch, from 1; records the validation loss."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch + 1 == self.at:
            bias = self.model.encoder.get_layer("conv_1").bias
            bias.assign(bias * np.where(np.arange(32) == 5, np.nan, 1))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.loss = logs["val_loss"]


def test_best_weights_are_kept_after_a_divergence(blobs: Images) -> None:
    model, poison = untrained(), Poison(3, 1)
    with pytest.raises(DivergenceError, match=r"^the loss became NaN or infinite in epoch 3, step 2 of 4, ") as ended:
        fit(model, blobs[:32], blobs[32:], train_settings(), 0, callbacks=[poison])
    assert ended.value.best_epoch == 2
    for kept, expected in zip(model.get_weights(), poison.weights[2], strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_an_infinite_validation_loss_ends_the_training_too(blobs: Images) -> None:
    # The weight becomes infinite after the loss of the last of eight steps; over the last four the rate falls to zero.
    settings = train_settings(schedule="trapezoid", epochs=2, warmup=0.0)
    sentence = (
        r"^the validation loss became NaN or infinite in epoch 2, after its last step, at a learning rate of 0\.0025; "
    )
    with pytest.raises(DivergenceError, match=sentence):
        fit(untrained(), blobs[:32], blobs[32:], settings, 0, callbacks=[Poison(2, 4)])


def test_a_nan_weight_ends_the_training_even_if_the_loss_is_finite(blobs: Images) -> None:
    # Pooling and ReLU hide a filter that is NaN everywhere.
    model, hidden = untrained(), Hidden(2)
    with pytest.raises(
        DivergenceError, match=r"^a weight became NaN or infinite in epoch 2, by its last step, at "
    ) as ended:
        fit(model, blobs[:32], blobs[32:], train_settings(), 0, callbacks=[hidden])
    assert np.isfinite(hidden.loss)
    assert ended.value.best_epoch == 1
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
