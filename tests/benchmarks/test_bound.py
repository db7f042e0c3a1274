import pytest

from benchmarks import bound
from benchmarks.keras_worker import MATMUL_SIZE
from benchmarks.multiply_adds import of_model
from vae.model.vae import VAE


def test_shares_are_those_of_the_decoder_and_of_the_matrix_product(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"bound": 4.0, "decoder": 3.0, "matmul": 0.5}
    monkeypatch.setattr(bound, "_rounds", lambda *_: [row, row | {"bound": 5.0}, row | {"bound": 2.0}])
    monkeypatch.setattr(bound, "has_bfloat16", lambda: False)
    results = bound.measure(rounds=3)["architectures"]
    assert set(results) == {"tutorial, float32", "resnet, float32", "mlp, float32"}
    found, decodings = results["mlp, float32"], bound.IMAGES * bound.SAMPLES
    assert found["decodings"] == decodings / 4
    assert found["of_decoder"] == 0.75
    products = of_model(VAE((28, 28, 1), 10, architecture="mlp").decoder, bound.BATCH_SIZE)
    assert found["of_peak"] == pytest.approx(decodings * products / 4 / (MATMUL_SIZE**3 / 0.5))


def test_every_round_times_all_contenders(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("IMAGES", 8), ("SAMPLES", 200), ("BATCH_SIZE", 4), ("MATMUL_SIZE", 16)):
        monkeypatch.setattr(bound, name, value)
    rows = bound._rounds(VAE((12, 12, 1), 2, architecture="mlp"), "float32", 2)
    assert [sorted(row) for row in rows] == [["bound", "decoder", "matmul"]] * 2
    assert all(row["decoder"] > 0 and row["matmul"] > 0 for row in rows)


def test_the_time_of_the_bound_leaves_out_what_comes_before_its_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0

    def computed(*_: object, samples: int, **options: object) -> None:
        nonlocal clock
        clock += 0.5 + 0.01 * samples

    monkeypatch.setattr(bound, "bounds", computed)
    monkeypatch.setattr(bound, "perf_counter", lambda: clock)
    monkeypatch.setattr(bound, "MATMUL_SIZE", 16)
    (row,) = bound._rounds(VAE((12, 12, 1), 2, architecture="mlp"), "float32", 1)
    assert row["bound"] == pytest.approx(0.01 * bound.SAMPLES)
