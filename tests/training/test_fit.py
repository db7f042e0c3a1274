"""A training: its history, its repeatability, its early stopping and its settings."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests.training.small_training import MODEL, TRAIN, train_settings, untrained
from vae.data.splits import Split
from vae.errors import InputError
from vae.history import COLUMNS, history, kept_epoch
from vae.training.fit import build_model, epoch_line, epochs_of_warmup, fit, steps_per_execution

Images = NDArray[np.float32]


def test_history_contains_every_metric_of_each_epoch_and_a_line_is_printed_for_it(
    blobs: Images, capsys: pytest.CaptureFixture[str]
) -> None:
    history = fit(untrained(), blobs[:32], blobs[32:], train_settings(), 0)
    assert list(history.columns) == ["epoch", *COLUMNS]
    assert history.epoch.tolist() == [1, 2, 3]
    np.testing.assert_allclose(history.reconstruction + history.kl, history.loss, rtol=1e-5)
    np.testing.assert_allclose(history.val_reconstruction + history.val_kl, history.val_loss, rtol=1e-5)
    assert history.learning_rate.tolist() == pytest.approx([0.01] * 3)
    assert (history.seconds > 0).all()
    assert history.loss.is_monotonic_decreasing
    lines = capsys.readouterr().out.splitlines()  # not a terminal, where Keras shows a bar
    assert len(lines) == 3
    assert lines[1].startswith(f"epoch 2/3: loss {history.loss[1]:.2f} (reconstruction")
    assert f"validation {history.val_loss[1]:.2f}" in lines[1]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "loss 3.00 (reconstruction 2.00 + KL 1.00), validation 4.00"),
        (
            {"beta": 0.5, "free_bits": 0.25},
            "loss 3.00 (−ELBO, KL weighted by 0.5, 0.25 nats free per dimension), reconstruction 2.00, KL 1.00; "
            "validation 4.00 (−ELBO)",
        ),
        (
            {"objective": "iwae", "samples": 5},
            "loss 3.00 (importance-weighted, k = 5), reconstruction 2.00, KL 1.00; validation 4.00 (−ELBO)",
        ),
    ],
)
def test_the_line_of_an_epoch_names_a_loss_that_is_not_the_sum_of_the_terms(options: dict[str, Any], line: str) -> None:
    losses = {"loss": 3.0, "reconstruction": 2.0, "kl": 1.0, "val_loss": 4.0}
    assert epoch_line(untrained(train_settings(**options))).format(**losses) == line


def test_history_is_reported_after_every_epoch(blobs: Images) -> None:
    reported: list[pd.DataFrame] = []
    history = fit(untrained(), blobs[:32], blobs[32:], train_settings(), 0, report=reported.append)
    assert len(reported) == 3
    for epochs, table in enumerate(reported, start=1):
        pd.testing.assert_frame_equal(table, history[:epochs], check_exact=True)


def test_same_seed_gives_the_same_weights_and_history(blobs: Images) -> None:
    runs = []
    for seed in (1, 1, 2):
        model = untrained(seed=seed, dropout=0.3)
        history = fit(model, blobs[:32], blobs[32:], train_settings(epochs=2), seed).drop(columns="seconds")
        runs.append((history, model.get_weights()))
    assert runs[0][0].equals(runs[1][0])
    assert all(np.array_equal(a, b) for a, b in zip(runs[0][1], runs[1][1], strict=True))
    assert not np.array_equal(runs[0][1][0], runs[2][1][0])


def test_best_weights_are_kept_and_training_stops_after_patience(blobs: Images) -> None:
    # the negatives of the training images: what is learnt makes their loss rise
    negatives = 1 - blobs[32:]
    model = untrained()
    history = fit(model, blobs[:32], negatives, train_settings(epochs=20, patience=2), 0)
    best = int(history.val_loss.argmin())
    assert len(history) == best + 1 + 2 < 20
    kept = model.evaluate(negatives, verbose=0, return_dict=True)["kl"]
    assert kept == pytest.approx(history.val_kl[best], rel=1e-4)
    assert kept != pytest.approx(history.val_kl.iloc[-1], rel=1e-2)


@pytest.mark.parametrize(("steps", "at_a_time"), [(688, 8), (691, 1), (500, 5), (399, 7), (350, 7), (99, 1), (1, 1)])
def test_steps_per_execution_divide_an_epoch_into_50_executions_or_more(steps: int, at_a_time: int) -> None:
    assert steps_per_execution(steps) == at_a_time


def test_steps_per_execution_do_not_change_the_steps(blobs: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = train_settings(schedule="trapezoid", optimizer="muon")
    histories = []
    for at_a_time in (1, 2):
        monkeypatch.setattr("vae.training.fit.steps_per_execution", lambda steps, k=at_a_time: k)
        histories.append(fit(untrained(), blobs[:32], blobs[32:], settings, 0).drop(columns="seconds"))
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-4)


def test_every_validation_draws_the_same_noise(blobs: Images) -> None:
    # Nothing is learnt at this rate, so that only the noise could change the validation loss.
    history = fit(untrained(), blobs[:32], blobs[32:], train_settings(learning_rate=1e-12), 0)
    assert history.val_loss.nunique() == 1
    assert history.loss.nunique() == 3


@pytest.mark.parametrize(
    "options",
    [{"objective": "dreg", "samples": 3}, {"samples": 2, "beta": 0.5, "beta_warmup": 4, "free_bits": 0.25}],
    ids=str,
)
def test_the_objective_and_its_options_reach_the_model(options: dict[str, Any]) -> None:
    config = untrained(train_settings(**options)).get_config()
    assert {name: config[name] for name in options} == options


def test_how_the_images_were_fitted_reaches_the_model() -> None:
    data = Split(np.zeros((4, 12, 12, 1), "float32"), None, np.array([], np.str_), fit="crop")
    assert build_model(data, MODEL, TRAIN, seed=0).image_fit == "crop"


def test_settings_data_and_seed_reach_the_model() -> None:
    settings = train_settings(epsilon_std=0.5, precision="mixed_bfloat16")
    config = untrained(settings, seed=3, latent_dim=7, dropout=0.25).get_config()
    assert {name: value for name, value in config.items() if name != "name"} == {
        "image_shape": [28, 28, 1],
        "latent_dim": 7,
        "architecture": "tutorial",
        "likelihood": "bernoulli",
        "prior": "standard",
        "objective": "elbo",
        "dropout": 0.25,
        "epsilon_std": 0.5,
        "precision": "mixed_bfloat16",
        "seed": 3,
        "class_names": ["a", "b"],
    }


def test_early_stopping_and_the_kept_epoch_wait_for_the_end_of_a_warm_up(blobs: NDArray[np.float32]) -> None:
    # Nothing is learned, so that without the warm-up the second epoch would be the last.
    settings = train_settings(epochs=9, patience=1, learning_rate=1e-12, beta=100.0, beta_warmup=17)  # of 5 steps each
    table = fit(untrained(settings), blobs, blobs[:8], settings, seed=0)
    assert table.val_loss.nunique() == 1
    assert table.beta.tolist() == pytest.approx([100 * step / 17 for step in (5, 10, 15)] + [100] * 2)
    assert kept_epoch(table).epoch == 4


@pytest.mark.parametrize(("warmup", "epochs"), [(0, 0), (1, 0), (5, 0), (6, 1), (10, 1), (15, 2)])
def test_epochs_are_kept_from_the_end_of_the_warm_up_on(warmup: int, epochs: int) -> None:
    assert epochs_of_warmup(train_settings(beta_warmup=warmup, epochs=3), steps=5) == epochs


def test_a_warm_up_longer_than_the_training_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        epochs_of_warmup(train_settings(beta_warmup=16, epochs=3), steps=5)
    assert str(refused.value) == (
        "train.beta_warmup is 16 steps, but train.epochs: 3 gives only 15 steps; the epoch that is kept must come "
        "after the warm-up."
    )


def test_the_kept_epoch_without_a_warm_up_is_the_one_of_lowest_validation_loss() -> None:
    rows = [dict.fromkeys(COLUMNS, 1.0) | {"val_loss": loss} for loss in (3.0, 1.0, 2.0)]
    assert kept_epoch(history(rows, 1.0, 0)).epoch == 2
    assert kept_epoch(history(rows, 1.0, 2.5)).epoch == 3
