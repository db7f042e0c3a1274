import math
import re
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from vae.nn.batches import batches
from vae.nn.model import VAE
from vae.nn.progress import DivergenceError
from vae.nn.training import HISTORY_COLUMNS, build_model, fit, learning_rate_schedule, steps_per_execution
from vae.settings import Train

SETTINGS = Train(
    latent_dim=2,
    epsilon_std=1.0,
    dropout=0.0,
    epochs=3,
    batch_size=8,
    optimizer="adam",
    learning_rate=0.01,
    schedule="constant",
    warmup=0.2,
    patience=5,
    precision="float32",
)


def settings(**changes: Any) -> Train:
    return SETTINGS.model_copy(update=changes)


def test_constant_schedule_is_the_learning_rate_itself() -> None:
    assert learning_rate_schedule(settings(), 100) == 0.01


def test_cosine_schedule_rises_linearly_then_falls_as_a_half_cosine() -> None:
    # 100 images in batches of 8: 13 steps an epoch, 130 in all, of which 26 warm up
    schedule: Any = learning_rate_schedule(settings(schedule="cosine", epochs=10), 100)
    steps = np.arange(131)
    expected = [
        0.01 * step / 26 if step < 26 else 0.01 * 0.5 * (1 + math.cos(math.pi * (step - 26) / 104)) for step in steps
    ]
    np.testing.assert_allclose([float(schedule(step)) for step in steps], expected, atol=1e-8)


def test_trapezoid_rises_stays_and_falls_in_straight_lines() -> None:
    # 130 steps, of which 26 warm up, and 65 are the falling half
    schedule: Any = learning_rate_schedule(settings(schedule="trapezoid", epochs=10), 100)
    steps, shares = [0, 13, 26, 50, 65, 78, 117, 130, 200], [0, 0.5, 1, 1, 1, 0.8, 0.2, 0, 0]
    np.testing.assert_allclose([float(schedule(step)) for step in steps], 0.01 * np.array(shares), atol=1e-9)
    assert type(schedule).from_config(schedule.get_config())(40) == schedule(40)


def test_trapezoid_with_a_long_warmup_is_a_triangle() -> None:
    schedule: Any = learning_rate_schedule(settings(schedule="trapezoid", epochs=10, warmup=0.8), 100)
    rates = [float(schedule(step)) for step in (0, 52, 104, 117, 130)]
    np.testing.assert_allclose(rates, [0, 0.005, 0.01, 0.005, 0], atol=1e-9)


@pytest.mark.parametrize("name", ["trapezoid", "cosine"])
def test_a_schedule_without_warmup_starts_at_the_peak(name: str) -> None:
    schedule: Any = learning_rate_schedule(settings(schedule=name, warmup=0.0), 100)
    assert float(schedule(0)) == pytest.approx(0.01)


def test_history_has_a_row_an_epoch_with_every_figure(blobs: NDArray[np.float32]) -> None:
    history = fit(build_model(settings(), 0), blobs[:32], blobs[32:], settings(), 0)
    assert list(history.columns) == ["epoch", *HISTORY_COLUMNS]
    assert history.epoch.tolist() == [1, 2, 3]
    np.testing.assert_allclose(history.reconstruction + history.kl, history.loss, rtol=1e-5)
    np.testing.assert_allclose(history.val_reconstruction + history.val_kl, history.val_loss, rtol=1e-5)
    assert history.learning_rate.tolist() == pytest.approx([0.01] * 3)
    assert (history.seconds > 0).all()
    assert history.loss.is_monotonic_decreasing


def test_same_seed_gives_the_same_weights_and_history(blobs: NDArray[np.float32]) -> None:
    runs = []
    for seed in (1, 1, 2):
        model = build_model(settings(dropout=0.3), seed)
        history = fit(model, blobs[:32], blobs[32:], settings(dropout=0.3), seed).drop(columns="seconds")
        runs.append((history, model.get_weights()))
    assert runs[0][0].equals(runs[1][0])
    assert all(np.array_equal(a, b) for a, b in zip(runs[0][1], runs[1][1], strict=True))
    assert not np.array_equal(runs[0][1][0], runs[2][1][0])


def test_best_weights_are_kept_and_training_stops_after_patience(blobs: NDArray[np.float32]) -> None:
    # the negatives of the training images: what is learnt makes their loss rise
    negatives = 1 - blobs[32:]
    patient = settings(epochs=20, patience=2)
    model = build_model(patient, 0)
    history = fit(model, blobs[:32], negatives, patient, 0)
    best = int(history.val_loss.idxmin())
    assert len(history) == best + 1 + 2 < 20
    kept = model.evaluate(negatives, verbose=0, return_dict=True)["kl"]
    assert kept == pytest.approx(history.val_kl[best], rel=1e-4)
    assert kept != pytest.approx(history.val_kl.iloc[-1], rel=1e-2)


def test_a_loss_that_is_no_number_ends_the_training_in_that_step(blobs: NDArray[np.float32]) -> None:
    ruinous = settings(learning_rate=1e9)
    message = (
        "the loss became NaN or infinite in epoch 1, step 2 of 4, at a learning rate of 1e+09; "
        "train.learning_rate is 1e+09: try a lower one."
    )
    with pytest.raises(DivergenceError, match=f"^{re.escape(message)}$") as ended:
        fit(build_model(ruinous, 0), blobs[:32], blobs[32:], ruinous, 0)
    assert ended.value.best_epoch is None


@pytest.mark.parametrize(("steps", "at_a_time"), [(688, 8), (691, 1), (500, 5), (399, 7), (350, 7), (99, 1), (1, 1)])
def test_steps_taken_at_a_time_fill_an_epoch_in_50_executions_or_more(steps: int, at_a_time: int) -> None:
    assert steps_per_execution(steps) == at_a_time


def test_steps_taken_at_a_time_are_the_same_steps(blobs: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    decaying = settings(schedule="trapezoid", optimizer="muon")
    histories = []
    for at_a_time in (1, 4):
        monkeypatch.setattr("vae.nn.training.steps_per_execution", lambda steps, k=at_a_time: k)
        histories.append(fit(build_model(decaying, 0), blobs[:32], blobs[32:], decaying, 0).drop(columns="seconds"))
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-4)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 6])
def test_the_step_that_diverges_is_named_with_its_rate_however_many_are_taken_at_a_time(
    blobs: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    # The rate rises from 0 by 0.1 a step; the images of step 4 of 6 are infinite, and the loss after them stays so.
    monkeypatch.setattr("vae.nn.training.steps_per_execution", lambda steps: at_a_time)
    monkeypatch.setattr("vae.nn.training.shuffled_batches", lambda images, size, *_: batches(images, size))
    rising = settings(schedule="trapezoid", learning_rate=1.2, epochs=4, warmup=0.5, batch_size=4)
    poisoned = blobs[:24].copy()
    poisoned[12:16] = np.inf
    with pytest.raises(
        DivergenceError, match=r"^the loss became NaN or infinite in epoch 1, step 4 of 6, at a learning rate of 0\.3; "
    ):
        fit(build_model(rising, 0), poisoned, blobs[32:], rising, 0)


class Poison(keras.callbacks.Callback):
    """Makes one weight infinite in the middle of an epoch, from 1; keeps those of the ends of the epochs before."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__()
        self.at, self.weights = (epoch, step), []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        self.weights.append(self.model.get_weights())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch + 1) == self.at:
            bias = self.model.decoder.get_layer("deconv_3").bias
            bias.assign(bias + np.inf)


class Hidden(keras.callbacks.Callback):
    """Makes a filter of the first convolution NaN at the beginning of an epoch, from 1."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch + 1 == self.at:
            bias = self.model.encoder.get_layer("conv_1").bias
            bias.assign(bias * np.where(np.arange(32) == 5, np.nan, 1))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.loss = logs["val_loss"]


def test_the_best_weights_are_kept_where_a_training_diverges(blobs: NDArray[np.float32]) -> None:
    model, poison = build_model(settings(), 0), Poison(3, 1)
    with pytest.raises(DivergenceError, match=r"^the loss became NaN or infinite in epoch 3, step 2 of 4, ") as ended:
        fit(model, blobs[:32], blobs[32:], settings(), 0, callbacks=[poison])
    assert ended.value.best_epoch == 2
    for kept, expected in zip(model.get_weights(), poison.weights[2], strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_a_validation_loss_that_is_no_number_ends_the_training_too(blobs: NDArray[np.float32]) -> None:
    # in the last of eight steps, after its loss; over the last four the rate falls to zero from 0.01
    falling = settings(schedule="trapezoid", epochs=2, warmup=0.0)
    sentence = (
        r"^the validation loss became NaN or infinite in epoch 2, after its last step, at a learning rate of 0\.0025; "
    )
    with pytest.raises(DivergenceError, match=sentence):
        fit(build_model(falling, 0), blobs[:32], blobs[32:], falling, 0, callbacks=[Poison(2, 4)])


def test_weights_that_are_no_numbers_end_the_training_where_the_loss_does_not_tell(blobs: NDArray[np.float32]) -> None:
    # pooling and ReLU hide a filter that is NaN everywhere
    model, hidden = build_model(settings(), 0), Hidden(2)
    with pytest.raises(
        DivergenceError, match=r"^a weight became NaN or infinite in epoch 2, by its last step, at "
    ) as ended:
        fit(model, blobs[:32], blobs[32:], settings(), 0, callbacks=[hidden])
    assert np.isfinite(hidden.loss)
    assert ended.value.best_epoch == 1
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_every_validation_draws_the_same_noise(blobs: NDArray[np.float32]) -> None:
    # nothing is learnt at this rate, so that only the noise could change the validation loss
    still = settings(learning_rate=1e-12)
    history = fit(build_model(still, 0), blobs[:32], blobs[32:], still, 0)
    assert history.val_loss.nunique() == 1
    assert history.loss.nunique() == 3


def test_one_line_an_epoch_where_there_is_no_terminal(
    blobs: NDArray[np.float32], capsys: pytest.CaptureFixture[str]
) -> None:
    history = fit(build_model(settings(), 0), blobs[:32], blobs[32:], settings(), 0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"epoch 2/3: loss {history.loss[1]:.2f} (reconstruction")
    assert f"validation {history.val_loss[1]:.2f}" in lines[1]


def test_settings_reach_the_model() -> None:
    model = build_model(settings(latent_dim=7, dropout=0.25, epsilon_std=0.5, precision="mixed_bfloat16"), 3)
    assert isinstance(model, VAE)
    assert (model.latent_dim, model.encoder.get_layer("dropout").rate, model.sampling.epsilon_std) == (7, 0.25, 0.5)
    assert model.decoder.get_layer("deconv_3").dtype_policy.name == "mixed_bfloat16"
