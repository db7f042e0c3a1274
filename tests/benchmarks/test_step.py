import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from benchmarks import step
from benchmarks.keras_worker import MATMUL_SIZE, plain_vae, training
from benchmarks.step import BATCH_SIZE, compare, multiply_adds
from benchmarks.turns import Contender
from vae.model.vae import VAE

# Multiply-adds of one image's forward pass without the affine map's network, and of the network at one point.
FORWARD = {
    "conv_1": 24 * 24 * 9 * 32,
    "conv_2": 10 * 10 * 9 * 32 * 64,
    "heads": 1600 * 10 * 2,
    "affine": 11 * 12 * 12 * 64,
    "deconv_2": 144 * 16 * 64 * 32,
    "deconv_3": 26 * 26 * 9 * 32,
}
NETWORK = 10 * 1600 + 25 * 16 * 64 * 64
STEP_OF_128 = 3 * (sum(FORWARD.values()) + NETWORK * 11 / 128) - FORWARD["conv_1"]


def test_multiply_adds_equal_the_count_by_hand() -> None:
    assert multiply_adds(VAE((28, 28, 1), 10), 128) == pytest.approx(STEP_OF_128, rel=1e-12)
    assert pytest.approx(21_427_869) == STEP_OF_128


@pytest.mark.parametrize("shape", [(28, 28, 1), (12, 16, 3)])
def test_the_plain_contender_is_the_same_function(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).uniform(size=(6, *shape)).astype("float32")
    ours, plain = VAE(shape, 10, epsilon_std=0.0), plain_vae(shape, 10, epsilon_std=0.0)
    plain.set_weights(ours.get_weights())
    kinds = {type(layer).__module__.split(".")[0] for part in (plain.encoder, plain.decoder) for layer in part.layers}
    assert kinds == {"keras"}
    for expected, measured in zip(ours(images), plain(images), strict=True):
        tf.debugging.assert_near(measured, expected, atol=1e-5)


def test_a_contender_takes_one_step_more_than_it_counts() -> None:
    model = VAE((12, 12, 1), 2)
    model.compile("adam")
    run = training(model, batch_size=4)
    assert run(0) >= 0
    assert model.optimizer.iterations == 1
    assert run(3) > 0
    assert model.optimizer.iterations == 1 + 4


def test_a_contender_does_not_count_the_steps_of_its_first_execution() -> None:
    model = VAE((12, 12, 1), 2)
    model.compile("adam", steps_per_execution=4)
    run = training(model, batch_size=4)
    assert run(0) == 0
    assert run(8) > 0
    assert model.optimizer.iterations == 4 + 4 + 8


def test_ratios_compare_times_of_the_same_round() -> None:
    # The machine was half as fast in the second round: no ratio may change.
    step_flop = 2 * STEP_OF_128 * BATCH_SIZE
    first = {
        "plain Keras, float32": 0.15,
        "this model, float32": 0.1,
        "plain Keras, bfloat16": 0.08,
        "this model, bfloat16": 0.05,
        "PyTorch eager, contiguous, float32": 0.3,
        "PyTorch eager, channels_last, float32": 0.12,
        "matmul, float32": 2 * MATMUL_SIZE**3 / (step_flop / 0.04),
        "matmul, bfloat16": 2 * MATMUL_SIZE**3 / (step_flop / 0.03),
    }
    result = compare(pd.DataFrame([first, {name: 2 * value for name, value in first.items()}]), step_flop)
    expected = {"vs_plain_keras": 1.5, "vs_pytorch": 1.2, "vs_floor": 0.4}
    for name, ratio in expected.items():
        assert result["float32"][name] == pytest.approx(ratio)
        assert result["float32"][f"{name}_quartiles"] == pytest.approx([ratio, ratio])
    # Against plain Keras in float32 and at equal precision; no PyTorch ran in bfloat16.
    assert result["bfloat16"]["vs_plain_keras"] == pytest.approx(3)
    assert result["bfloat16"]["vs_plain_keras_at_equal_precision"] == pytest.approx(1.6)
    assert "vs_pytorch" not in result["bfloat16"]
    assert result["float32"]["milliseconds"] == pytest.approx(150)


@pytest.mark.parametrize(("native", "precisions"), [(True, ["float32", "bfloat16"]), (False, ["float32"])])
@pytest.mark.usefixtures("workspace")
def test_bfloat16_is_timed_only_if_the_processor_has_instructions_for_it(
    native: bool, precisions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "has_bfloat16", lambda: native)

    def in_turn(contenders: list[Contender], rounds: int) -> pd.DataFrame:
        return pd.DataFrame([{contender.name: 0.1 for contender in contenders}] * rounds)

    monkeypatch.setattr(step, "in_turn", in_turn)
    result = step.measure(Path(sys.executable), rounds=2)
    assert list(result) == precisions
    for precision, part in result.items():
        assert part["machine"]["torch"] is None  # this interpreter has none
        assert all(name.endswith(precision) for name in part["contenders"])
        assert len(part["contenders"]) == 6
