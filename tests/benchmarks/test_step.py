from pathlib import Path

import pandas as pd
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks import step
from benchmarks.keras_worker import MATMUL_SIZE, plain_vae, training
from benchmarks.step import BATCH_SIZE, compare, multiply_adds
from benchmarks.turns import Contender
from vae.nn.model import VAE


def test_multiply_adds_by_hand() -> None:
    conv_1, conv_2, heads = 26 * 26 * 9 * 32, 11 * 11 * 9 * 32 * 64, 1600 * 10 * 2
    dense, deconv_1, deconv_2, deconv_3 = 10 * 1600, 25 * 16 * 64 * 64, 144 * 16 * 64 * 32, 26 * 26 * 9 * 32
    forward = conv_1 + conv_2 + heads + dense + deconv_1 + deconv_2 + deconv_3
    assert multiply_adds(VAE(10)) == 3 * forward - conv_1 == 26_879_232


def test_plain_contender_is_the_same_function(images: NDArray) -> None:
    ours, plain = VAE(10, epsilon_std=0.0), plain_vae(latent_dim=10, epsilon_std=0.0)
    plain.set_weights(ours.get_weights())
    assert [layer.name for layer in plain.decoder.layers] == [layer.name for layer in ours.decoder.layers]
    assert type(plain.decoder.get_layer("upsampled_deconv_1")) is not type(ours.decoder.get_layer("upsampled_deconv_1"))
    tf.debugging.assert_near(plain(images).logits, ours(images).logits, atol=1e-5)


def test_a_contender_takes_the_steps_asked_for_and_one_that_is_not_counted() -> None:
    model = VAE(2)
    model.compile("adam")
    run = training(model, batch_size=4)
    assert run(0) >= 0
    assert model.optimizer.iterations == 1
    assert run(3) > 0
    assert model.optimizer.iterations == 1 + 4


def test_several_steps_in_one_execution_are_timed_like_one() -> None:
    model = VAE(2)
    model.compile("adam", steps_per_execution=4)
    run = training(model, batch_size=4)
    assert run(0) == 0
    assert run(8) > 0
    assert model.optimizer.iterations == 4 + 4 + 8


def test_ratios_are_taken_within_each_round() -> None:
    # The second round ran on a machine twice as slow: no ratio may change.
    floor_flop = 2 * 26_879_232 * BATCH_SIZE
    first = {
        "plain Keras, float32": 0.15,
        "this model, float32": 0.1,
        "this model, bfloat16": 0.05,
        "PyTorch eager, contiguous, float32": 0.3,
        "PyTorch eager, channels_last, float32": 0.12,
        "matmul, float32": 2 * MATMUL_SIZE**3 / (floor_flop / 0.04),
        "matmul, bfloat16": 2 * MATMUL_SIZE**3 / (floor_flop / 0.03),
    }
    result = compare(pd.DataFrame([first, {name: 2 * value for name, value in first.items()}]))
    expected = {"vs_plain_keras": 1.5, "vs_pytorch": 1.2, "vs_floor": 0.4}
    for name, ratio in expected.items():
        assert result["float32"][name] == pytest.approx(ratio)
        assert result["float32"][f"{name}_quartiles"] == pytest.approx([ratio, ratio])
    # against the post's float32, and without a PyTorch figure where none ran
    assert result["bfloat16"]["vs_plain_keras"] == pytest.approx(3)
    assert "vs_pytorch" not in result["bfloat16"]
    assert result["float32"]["milliseconds"] == pytest.approx(150)


@pytest.mark.parametrize(("native", "precisions"), [(True, ["float32", "bfloat16"]), (False, ["float32"])])
def test_bfloat16_is_timed_only_where_the_processor_has_it(
    native: bool, precisions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "has_bfloat16", lambda: native)

    def in_turn(contenders: list[Contender], rounds: int) -> pd.DataFrame:
        return pd.DataFrame([{contender.name: 0.1 for contender in contenders}] * rounds)

    monkeypatch.setattr(step, "in_turn", in_turn)
    result = step.measure(Path("python"), rounds=2)
    assert list(result) == precisions
    for precision, figures in result.items():
        assert all(name.endswith(precision) for name in figures["contenders"])
        assert len(figures["contenders"]) == 6
